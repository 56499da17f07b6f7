#ifndef FSD_WORKER_HTTP_STREAM_RESUME_H
#define FSD_WORKER_HTTP_STREAM_RESUME_H

#include <stdbool.h>

struct exchange;

/* Whether its task, which has ended with that status, was told to make room for other code, and has left an open stream of events. */
bool resume_is_due(const struct exchange *exchange, int status);
/* Makes it a request that has just come, for the code that runs now; only its stream stays.  To be run by exchange.c. */
void resume_prepare(struct exchange *exchange);
/* Its handlers have answered with something else than the stream that is open: says so in the log, and to the client when to come
 * back.  The stream is to be ended then. */
void resume_give_up(struct exchange *exchange);

#endif
