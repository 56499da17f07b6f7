#ifndef FSD_DAEMON_PROC_PROC_SAY_H
#define FSD_DAEMON_PROC_PROC_SAY_H

#include <stdint.h>

#include "common/proto.h"

struct proc;
struct proc_post;
struct shared_set;

/* The master's messages to one worker.  All return 0 or a negative errno of channel_send. */

/* LOG, CONFIG, ACCESS, SHARED and the code: LOAD, or UNAVAILABLE when it has none; their descriptors are closed. */
int proc_say_hand_out(struct proc *proc);
/* ACCESS, if there is an access log. */
int proc_say_access(const struct proc *proc);
int proc_say_listeners(const struct proc *proc, const struct proc_post *post);
int proc_say_activate(const struct proc *proc);
int proc_say_return(const struct proc *proc, unsigned slot);
/* PREPARE (with fd), COMMIT or ABORT. */
int proc_say_change(const struct proc *proc, enum proto_kind kind,
                    const struct proto_transaction *change, int fd);
/* UNSHARED of what only `from` has, and SHARED of what only `to` has; either may be NULL. */
int proc_say_shared(const struct proc *proc, const struct shared_set *from,
                    const struct shared_set *to);
int proc_say_drain(const struct proc *proc);

#endif
