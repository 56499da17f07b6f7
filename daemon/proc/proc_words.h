#ifndef FSD_DAEMON_PROC_PROC_WORDS_H
#define FSD_DAEMON_PROC_PROC_WORDS_H

#include "daemon/proc/channel.h"
#include "daemon/proc/incarnation.h"

struct proc;

/* Translates one message of a worker into an event of its life and passes it to step; what it says about itself is kept in proc. */
void proc_words_on_message(struct proc *proc, const struct wire_message *message,
                           void (*step)(struct proc *proc, enum incarnation_event event,
                                        const char *detail));

#endif
