#ifndef FSD_WORKER_LIFE_END_H
#define FSD_WORKER_LIFE_END_H

struct life;
struct wire_message;

/* The loop ends with this turn, and the process with this exit code. */
void life_leave(struct life *life, int exit_code);
/* DRAIN: nothing more is taken, and the loop ends when all is done. */
void life_drain(struct life *life, struct wire_message *message);
/* The loop has ended. */
void life_free(struct life *life);

#endif
