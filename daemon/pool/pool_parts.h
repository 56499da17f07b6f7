#ifndef FSD_DAEMON_POOL_POOL_PARTS_H
#define FSD_DAEMON_POOL_POOL_PARTS_H

#include "daemon/pool/pool.h"

/* What the files of this folder need of each other; nobody else includes it. */

/* pool_proc.c: a process for the slot (NULL: in reserve), with the configuration that is pending or the one that runs.  0, or a
 * negative errno with a sentence. */
enum pool_kind { POOL_KIND_WORKER, POOL_KIND_PENDING, POOL_KIND_UNAVAILABLE };
int pool_proc_start(struct pool *pool, struct pool_slot *slot, enum pool_kind kind,
                    struct pool_proc **ret_which, struct fsd_err *err);
/* One that another program of ours has started (proc_inherit): copies what the seed knows of it. */
int pool_proc_inherit(struct pool *pool, const struct pool_proc *seed, struct pool_proc **ret_which,
                      struct fsd_err *err);
/* To be called when that has failed: an alarm in the log, but once until one can be started again, since the next try comes
 * soon. */
void pool_proc_tell_unstarted(struct pool *pool, const struct pool_slot *slot, const char *why);
/* Makes procs until there are so many.  0 or -ENOMEM. */
int pool_proc_reserve(struct pool *pool, size_t count);
/* May the slot have one process more? */
bool pool_proc_has_room(const struct pool_slot *slot);
bool pool_proc_is_standby(const struct pool_proc *which);
/* One that could take the place at once; NULL: there is none. */
struct pool_proc *pool_proc_find_standby(const struct pool *pool, uint64_t generation);

/* pool_slot.c */
int pool_slot_add(struct pool *pool);
void pool_slot_free(struct pool_slot *slot);
void pool_slot_step(struct pool_slot *slot, enum slot_event event, const struct proc *proc,
                    const char *why);
void pool_slot_tell(struct pool_slot *slot, enum pool_news news, const struct proc *proc,
                    const char *why);
bool pool_slot_is_deserted(const struct pool_slot *slot);
void pool_slot_log(const struct pool_slot *slot, enum log_level level, const char *event,
                   const char *message, const struct log_field *fields);
/* Gives it the listeners of the pool that belong to this slot. */
void pool_slot_activate(struct pool_slot *slot, struct pool_proc *which);
void pool_slot_retry_in(struct pool_slot *slot, uint32_t wait_ms);
/* Starts the worker that has been waiting until an older one is gone. */
void pool_slot_use_room(struct pool_slot *slot);

/* pool_slot_news.c */
void pool_slot_on_news(struct pool_slot *slot, struct pool_proc *which, enum proc_news news);

/* pool_loss.c: the slot, in SLOT_BACKOFF, has lost proc (NULL: it could not even be started). */
void pool_loss_decide(struct pool_slot *slot, const struct proc *proc);
/* For the crash report of proc: what follows. */
void pool_loss_keep(const struct pool_slot *slot, const struct proc *proc, const char *words);
/* Only counts it; next is what follows, or NULL. */
void pool_loss_note(struct pool_slot *slot, const struct proc *proc, const char *next);

void pool_slot_activate_next(struct pool_slot *slot);

/* pool_change.c: ends the worker that serves, for it has not got what it should have. */
void pool_change_kill(struct pool_slot *slot);

/* pool_change.c: the worker that was asked to take a change in place is no longer the one that serves. */
void pool_change_ask_successor(struct pool_slot *slot);

/* pool.c: takes over what pool->conf says for the master itself. */
void pool_take_settings(struct pool *pool);

/* pool_settle.c: something has changed: everything that follows from the state of the pool is put right before the loop waits
 * again. */
void pool_touch(struct pool *pool);
int pool_settle_init(struct pool *pool);
/* A new worker for the slot failed: when the old one has missed a change, the next try follows after a while. */
void pool_settle_renewal_failed(struct pool_slot *slot);

/* pool_lend.c: who accepts for slots that nobody serves.  Returns when to look again (monotonic; UINT64_MAX: no need). */
uint64_t pool_lend(struct pool *pool, uint64_t now_ms);
/* which accepts nothing any more. */
void pool_lend_forget(struct pool *pool, const struct pool_proc *which);

/* pool_hold.c */
void pool_hold(struct pool *pool, const char *cause);
void pool_release(struct pool *pool);
/* A worker is started by an order: when the pool is held, that is a probe, and when all serve then, the end of it. */
void pool_hold_mend(struct pool *pool);
/* The workers that answer 503, the probe and its end.  As pool_lend. */
uint64_t pool_hold_settle(struct pool *pool, uint64_t now_ms);

#endif
