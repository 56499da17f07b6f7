#ifndef FSD_WORKER_ACTOR_NODE_REMOTE_SAY_H
#define FSD_WORKER_ACTOR_NODE_REMOTE_SAY_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/actor/node/frame.h"
#include "worker/actor/pid.h"

struct fsd_err;
struct letter;
struct remote;
struct sender;

struct frame_actor remote_place(const struct pid *pid);
/* Whether a message may leave for that actor now. */
bool remote_takes(const struct remote *remote, const struct pid *to);
/* Sends the message at index, whatever waits.  -EINVAL, with the sentence: something in it cannot be sent. */
int remote_say_letter(lua_State *L, int index, struct remote *remote, const struct pid *to,
                      const struct letter *letter, struct fsd_err *err);
/* Queues a sender whose message has no room: a copy such as arrives, on the top of its stack. */
void remote_wait(struct remote *remote, struct sender *sender);
/* The link takes more: those who waited for that send. */
void remote_say_waiting(struct remote *remote);
/* So much that was sent to that actor has got its room: those who waited for that send. */
void remote_on_credit(struct remote *remote, const struct frame_actor *to,
                      const struct frame_credit *credit);
/* A message from there, for that actor or for the worker itself, has its room here. */
void remote_take(struct remote *remote, const struct frame_actor *to, size_t bytes);
/* A frame of a kind without a payload. */
void remote_say(struct remote *remote, const struct frame *frame);
/* A frame with the value on the top of L, which is popped; what cannot be sent is told as a string. */
void remote_say_value(lua_State *L, struct remote *remote, const struct frame *frame);
/* The call with that number, from there, has failed; the reason on the top of L, maybe nil, is popped. */
void remote_say_failure(lua_State *L, struct remote *remote, uint64_t number, const char *code);

#endif
