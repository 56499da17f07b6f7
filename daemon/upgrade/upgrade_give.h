#ifndef FSD_DAEMON_UPGRADE_UPGRADE_GIVE_H
#define FSD_DAEMON_UPGRADE_UPGRADE_GIVE_H

struct fsd_err;
struct master;
struct upgrade_state;

/* Makes a new master, whose objects have just been made and are empty, what the other one was.  Its descriptors are the master's if that
 * succeeds.  Negative errno with a sentence: they and all processes are left alone, and the master is to be left as it is, not freed. */
int upgrade_give(struct master *master, const struct upgrade_state *state, struct fsd_err *err);

#endif
