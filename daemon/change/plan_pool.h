#ifndef FSD_DAEMON_CHANGE_PLAN_POOL_H
#define FSD_DAEMON_CHANGE_PLAN_POOL_H

#include "daemon/change/plan_text.h"

struct conf;
struct conf_pool;

/* A pool of the same name in two configurations. */
struct plan_pool_pair {
    const struct conf *from;
    const struct conf *to;
    const struct conf_pool *old;
    const struct conf_pool *now;
};

/* Each adds what differs to text, nothing when it is all the same. */
void plan_pool_compare_process(const struct plan_pool_pair *pair, struct plan_text *text);
void plan_pool_compare_limits(const struct plan_pool_pair *pair, struct plan_text *text);
void plan_pool_compare_count(const struct plan_pool_pair *pair, struct plan_text *text);
void plan_pool_compare_rules(const struct plan_pool_pair *pair, struct plan_text *text);

#endif
