#ifndef FSD_DAEMON_CHANGE_RETIRED_H
#define FSD_DAEMON_CHANGE_RETIRED_H

#include <stdbool.h>
#include <sys/types.h>

struct inventory;
struct master;
struct retired;

/* A place to be kept for retired_add, so that it can't fail; NULL: no memory.  free() gives it back. */
struct retired *retired_new(void);

/* Takes place, and what the running inventory does not have of this one: its pools are stopped, and when their last process is gone all
 * is freed. */
void retired_add(struct master *master, struct retired *place, struct inventory *inventory);
/* Something has ended: what nobody uses any more is freed before the loop waits again. */
void retired_touch(struct master *master);
/* The same now; not from within the news of pools. */
void retired_bury(struct master *master);
bool retired_is_empty(const struct master *master); /* no process is left */
bool retired_owns(const struct master *master, pid_t pid);
/* The daemon stops. */
void retired_stop(struct master *master, bool now);
/* At the very end: ends and frees everything. */
void retired_free(struct master *master);

#endif
