#ifndef FSD_WORKER_LIFE_END_H
#define FSD_WORKER_LIFE_END_H

struct life;
struct runtime;
struct wire_message;

/* The loop ends with this turn, and the process with this exit code. */
void life_leave(struct life *life, int exit_code);
/* DRAIN: nothing more is taken, and the loop ends when all is done. */
void life_drain(struct life *life, struct wire_message *message);
/* What the application declares to be supervised has not started, or has ended: the pool, which is the supervisor of its supervisors, hears
 * of that by our end. */
void life_lose_children(struct runtime *runtime);
/* The loop has ended. */
void life_free(struct life *life);

#endif
