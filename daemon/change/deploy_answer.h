#ifndef FSD_DAEMON_CHANGE_DEPLOY_ANSWER_H
#define FSD_DAEMON_CHANGE_DEPLOY_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct control_call;
struct deploy;
struct master;
struct plan;
struct pool;

/* Who waits for the end of a change; taken out of it before it is forgotten. */
struct deploy_asker {
    struct control_call *call; /* NULL: nobody, or the calls of a reload */
    bool is_reload;
    bool is_worker; /* orders.c tells it */
};

/* The first one counts; it may come from a worker and is made harmless. */
void deploy_answer_keep_reason(struct deploy *deploy, const char *why);
/* The changes of a plan as fsd.plan/1 lists them; NULL when memory is out. */
json_t *deploy_answer_list_changes(const struct plan *plan);
/* The answer to a change that is done; from: the number before.  NULL when memory is out. */
json_t *deploy_answer_describe(const struct master *master, uint64_t from);
/* Answers a `scale` of a pool that has this number of workers: nothing is changed. */
void deploy_answer_same_count(const struct master *master, const struct pool *pool,
                              struct control_call *call);
/* What the log is told, before anybody else. */
void deploy_answer_log_failed(struct master *master, const struct deploy_asker *asker);
void deploy_answer_log_done(struct master *master, const struct deploy_asker *asker);
/* Tells whoever asked. */
void deploy_answer_failed(struct master *master, const struct deploy_asker *asker);
/* Takes result, NULL: memory was out. */
void deploy_answer_done(struct master *master, const struct deploy_asker *asker, json_t *result);

#endif
