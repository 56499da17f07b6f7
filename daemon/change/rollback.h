#ifndef FSD_DAEMON_CHANGE_ROLLBACK_H
#define FSD_DAEMON_CHANGE_ROLLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/code/probation.h"

struct app;
struct app_setback;
struct control_call;
struct master;
struct pool;

/* What is known of the code of an app that runs. */
struct probation_facts rollback_get_facts(const struct master *master, size_t app);
/* What the daemon did, or is about to do, because the code that ran was not fit; NULL: nothing that would still matter. */
const struct app_setback *rollback_find_setback(const struct app *app);

/* Once a second, and when a change is over: code that has run its time is confirmed. */
void rollback_watch(struct master *master);
/* The code of this app, NULL: of all, counts as proven from now on. */
void rollback_confirm(struct master *master, const struct app *only);

#endif
