#ifndef FSD_DAEMON_UPGRADE_UPGRADE_FDS_H
#define FSD_DAEMON_UPGRADE_UPGRADE_FDS_H

#include <stdbool.h>
#include <stddef.h>

struct fsd_err;
struct upgrade_state;

/* Is every descriptor of the state what its row says?  0, or a negative errno with a sentence. */
int upgrade_fds_check(const struct upgrade_state *state, struct fsd_err *err);
/* Lets all descriptors of the state live through the next exec, or not. */
void upgrade_fds_keep(const struct upgrade_state *state, bool is_kept);
/* Closes whatever is neither 0 to 2, nor of the state, nor among others.  0 or -ENOMEM. */
int upgrade_fds_close_rest(const struct upgrade_state *state, const int *others, size_t count);

#endif
