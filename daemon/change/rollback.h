#ifndef FSD_DAEMON_CHANGE_ROLLBACK_H
#define FSD_DAEMON_CHANGE_ROLLBACK_H

struct app;
struct control_call;
struct master;

/* By order, for this app or (NULL) all: to the confirmed code where other code runs, and where none does, to the previous code.  call is
 * answered as that of a reload. */
void rollback_start(struct master *master, const struct app *only, struct control_call *call);

#endif
