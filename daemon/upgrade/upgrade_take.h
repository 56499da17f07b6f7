#ifndef FSD_DAEMON_UPGRADE_UPGRADE_TAKE_H
#define FSD_DAEMON_UPGRADE_UPGRADE_TAKE_H

#include <stdbool.h>
#include <stddef.h>

struct control_call;
struct fsd_err;
struct master;
struct upgrade_state;

/* Is nothing under way that could not go on in another program?  Else text says what is. */
bool upgrade_take_is_possible(const struct master *master, char *text, size_t size);
/* All that the next program must know; only when that is possible.  call (may be NULL) is who is to be answered.  Descriptors stay the
 * master's.  Freed with upgrade_state_fini in any case.  0, or a negative errno. */
int upgrade_take(const struct master *master, const struct control_call *call,
                 struct upgrade_state *ret_state);

#endif
