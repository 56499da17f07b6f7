/* plan.c - what has to happen so that one configuration takes the place of another.
 * Owns the order of the rows and which difference leads to which action.  Listeners are matched by address (plan_listener.c), pools
 * and supervisors by name; a pool whose workers must be replaced needs no update, since new processes have everything.
 * Called by the deploy of a configuration: for `plan` to show it, for `apply` to do it.  Pure.  Must not know how anything is
 * applied, nor write JSON. */
#include "daemon/change/plan.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/change/plan_listener.h"
#include "daemon/change/plan_pool.h"
#include "daemon/change/plan_supervisor.h"
#include "daemon/conf/conf.h"

/* What is compared, and the plan so far. */
struct maker {
    const struct conf *from;
    const struct conf *to;
    struct plan plan;
    bool is_out_of_memory; /* rows are missing: the plan is of no use */
};

/* Who a row is about. */
struct subject {
    enum plan_kind kind;
    const char *name;
    size_t from_index;
    size_t to_index;
};

static struct plan_row *new_row(struct maker *maker)
{
    struct plan *plan = &maker->plan;
    if (plan->count == plan->capacity) {
        size_t capacity = plan->capacity == 0 ? 16 : plan->capacity * 2;
        struct plan_row *rows = realloc(plan->rows, capacity * sizeof(*rows));
        if (rows == NULL) {
            return NULL;
        }
        plan->rows = rows;
        plan->capacity = capacity;
    }
    return &plan->rows[plan->count];
}

static void add_row(struct maker *maker, enum plan_action action, const struct subject *subject,
                    const struct plan_text *text)
{
    struct plan_row *row = new_row(maker);
    char *name = row == NULL ? NULL : strdup(subject->name);
    if (name == NULL) {
        maker->is_out_of_memory = true;
        return;
    }
    *row = (struct plan_row){.action = action,
                             .kind = subject->kind,
                             .name = name,
                             .from_index = subject->from_index,
                             .to_index = subject->to_index};
    memcpy(row->detail, text->text, sizeof(row->detail));
    maker->plan.count++;
}

/* A row only if there is something to say. */
static void add_difference(struct maker *maker, enum plan_action action,
                           const struct subject *subject, const struct plan_text *text)
{
    if (text->len > 0) {
        add_row(maker, action, subject, text);
    }
}

static void add_new_listeners(struct maker *maker, enum plan_listener_fate wanted,
                              enum plan_action action)
{
    for (size_t i = 0; i < maker->to->listener_count; i++) {
        struct plan_text text = {.len = 0};
        struct subject subject = {PLAN_LISTENER, maker->to->listeners[i].name,
                                  plan_listener_find(maker->from, maker->to, i), i};
        if (plan_listener_get_fate(maker->from, maker->to, i, &text) == wanted) {
            add_row(maker, action, &subject, &text);
        }
    }
}

static void add_closed_listeners(struct maker *maker)
{
    for (size_t i = 0; i < maker->from->listener_count; i++) {
        struct plan_text text = {.len = 0};
        struct subject subject = {PLAN_LISTENER, maker->from->listeners[i].name, i, SIZE_MAX};
        if (plan_listener_is_closed(maker->from, maker->to, i, &text)) {
            add_row(maker, PLAN_CLOSE, &subject, &text);
        }
    }
}

static size_t find_pool(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->pool_count; i++) {
        if (strcmp(conf->pools[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void compare_pool(struct maker *maker, const struct subject *subject)
{
    struct plan_pool_pair pair = {maker->from, maker->to, &maker->from->pools[subject->from_index],
                                  &maker->to->pools[subject->to_index]};
    struct plan_text process = {.len = 0};
    struct plan_text count = {.len = 0};
    struct plan_text rules = {.len = 0};
    plan_pool_compare_process(&pair, &process);
    enum plan_action action = process.len > 0 ? PLAN_REPLACE : PLAN_UPDATE;
    plan_pool_compare_limits(&pair, &process);
    add_difference(maker, action, subject, &process);
    plan_pool_compare_count(&pair, &count);
    add_difference(maker, PLAN_SCALE, subject, &count);
    plan_pool_compare_rules(&pair, &rules);
    add_difference(maker, PLAN_ADJUST, subject, &rules);
}

static void add_pools(struct maker *maker)
{
    for (size_t i = 0; i < maker->to->pool_count; i++) {
        const struct conf_pool *pool = &maker->to->pools[i];
        struct subject subject = {PLAN_POOL, pool->name, find_pool(maker->from, pool->name), i};
        struct plan_text text = {.len = 0};
        if (subject.from_index != SIZE_MAX) {
            compare_pool(maker, &subject);
        } else {
            plan_text_add(&text, "app %s", maker->to->apps[pool->app].name);
            add_row(maker, PLAN_START, &subject, &text);
        }
    }
}

static void add_stopped_pools(struct maker *maker)
{
    for (size_t i = 0; i < maker->from->pool_count; i++) {
        struct subject subject = {PLAN_POOL, maker->from->pools[i].name, i, SIZE_MAX};
        struct plan_text text = {.len = 0};
        if (find_pool(maker->to, subject.name) == SIZE_MAX) {
            add_row(maker, PLAN_STOP, &subject, &text);
        }
    }
}

static size_t find_supervisor(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->supervisor_count; i++) {
        if (strcmp(conf->supervisors[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void add_supervisors(struct maker *maker)
{
    for (size_t i = 0; i < maker->to->supervisor_count; i++) {
        const char *name = maker->to->supervisors[i].name;
        struct subject subject = {PLAN_SUPERVISOR, name, find_supervisor(maker->from, name), i};
        struct plan_text text = {.len = 0};
        if (subject.from_index == SIZE_MAX) {
            plan_text_add(&text, "new");
        } else {
            plan_supervisor_compare(maker->from, &maker->from->supervisors[subject.from_index],
                                    maker->to, &maker->to->supervisors[i], &text);
        }
        add_difference(maker, PLAN_ADJUST, &subject, &text);
    }
    for (size_t i = 0; i < maker->from->supervisor_count; i++) {
        struct subject subject = {PLAN_SUPERVISOR, maker->from->supervisors[i].name, i, SIZE_MAX};
        struct plan_text text = {.len = 0};
        if (find_supervisor(maker->to, subject.name) == SIZE_MAX) {
            plan_text_add(&text, "gone");
            add_row(maker, PLAN_ADJUST, &subject, &text);
        }
    }
}

static size_t find_shared(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->shared_count; i++) {
        if (strcmp(conf->shared[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void compare_shared(struct maker *maker, const struct subject *subject)
{
    uint64_t before = maker->from->shared[subject->from_index].size_bytes;
    uint64_t after = maker->to->shared[subject->to_index].size_bytes;
    char texts[2][PLAN_TEXT_VALUE_MAX];
    struct plan_text text = {.len = 0};
    if (before != after) {
        plan_text_format_size(before, texts[0]);
        plan_text_format_size(after, texts[1]);
        plan_text_add(&text, "size %s -> %s, starts empty", texts[0], texts[1]);
        add_row(maker, PLAN_REPLACE, subject, &text);
    }
}

static void add_shared(struct maker *maker)
{
    struct plan_text text = {.len = 0};
    for (size_t i = 0; i < maker->to->shared_count; i++) {
        const char *name = maker->to->shared[i].name;
        struct subject subject = {PLAN_SHARED, name, find_shared(maker->from, name), i};
        if (subject.from_index == SIZE_MAX) {
            add_row(maker, PLAN_OPEN, &subject, &text);
        } else {
            compare_shared(maker, &subject);
        }
    }
    for (size_t i = 0; i < maker->from->shared_count; i++) {
        struct subject subject = {PLAN_SHARED, maker->from->shared[i].name, i, SIZE_MAX};
        if (find_shared(maker->to, subject.name) == SIZE_MAX) {
            add_row(maker, PLAN_CLOSE, &subject, &text);
        }
    }
}

/* values: before and after; NULL: absent, which has a meaning of its own. */
static void compare_key(struct maker *maker, enum plan_action action, const char *key,
                        const char *const values[2], const char *absent)
{
    struct subject subject = {PLAN_KEY, key, SIZE_MAX, SIZE_MAX};
    struct plan_text text = {.len = 0};
    const char *before = values[0] == NULL ? absent : values[0];
    const char *after = values[1] == NULL ? absent : values[1];
    if (strcmp(before, after) != 0) {
        plan_text_add(&text, "%s -> %s", before, after);
        add_row(maker, action, &subject, &text);
    }
}

static void add_keys(struct maker *maker)
{
    static const char *const formats[] = {"text", "json"};
    _Static_assert(CONF_LOG_TEXT == 0 && CONF_LOG_JSON == 1, "the order of the words");
    const struct conf *from = maker->from;
    const struct conf *to = maker->to;
    const struct {
        enum plan_action action;
        const char *key;
        const char *values[2];
        const char *absent;
    } rows[] = {
        {PLAN_MASTER,
         "log.level",
         {log_level_format(from->log_level), log_level_format(to->log_level)},
         ""},
        {PLAN_MASTER, "log.format", {formats[from->log_format], formats[to->log_format]}, ""},
        {PLAN_MASTER, "log.access_path", {from->log_access_path, to->log_access_path}, "stdout"},
        {PLAN_NEEDS_RESTART, "control.path", {from->control_path, to->control_path}, "default"},
        {PLAN_NEEDS_RESTART, "state.path", {from->state_path, to->state_path}, "default"},
        {PLAN_NEEDS_RESTART, "log.path", {from->log_path, to->log_path}, "stderr"},
        {PLAN_NEEDS_RESTART, "user", {from->user, to->user}, "default"},
        {PLAN_NEEDS_RESTART, "group", {from->group, to->group}, "default"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        compare_key(maker, rows[i].action, rows[i].key, rows[i].values, rows[i].absent);
    }
}

int plan_make(const struct conf *from, const struct conf *to, struct plan *ret_plan)
{
    struct maker maker = {.from = from, .to = to};
    add_new_listeners(&maker, PLAN_LISTENER_OPENED, PLAN_OPEN);
    add_new_listeners(&maker, PLAN_LISTENER_KEPT, PLAN_KEEP);
    add_pools(&maker);
    add_supervisors(&maker);
    add_shared(&maker);
    add_stopped_pools(&maker);
    add_closed_listeners(&maker);
    add_keys(&maker);
    if (maker.is_out_of_memory) {
        plan_fini(&maker.plan);
        return -ENOMEM;
    }
    *ret_plan = maker.plan;
    return 0;
}

void plan_fini(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->rows[i].name);
    }
    free(plan->rows);
    *plan = (struct plan){.rows = NULL};
}

const struct plan_row *plan_find(const struct plan *plan, const char *pool, enum plan_action action)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_row *row = &plan->rows[i];
        if (row->kind == PLAN_POOL && row->action == action && strcmp(row->name, pool) == 0) {
            return row;
        }
    }
    return NULL;
}

bool plan_would_change(const struct plan *plan, const struct conf *from, const struct conf *to)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->rows[i].action != PLAN_NEEDS_RESTART) {
            return true;
        }
    }
    if (strcmp(from->hash, to->hash) != 0) {
        return true;
    }
    for (size_t i = 0; i < to->pool_count; i++) { /* the texts are the same, so is the order */
        if (from->pools[i].is_count_override != to->pools[i].is_count_override) {
            return true;
        }
    }
    return false;
}

const char *plan_action_format(enum plan_action action)
{
    static const char *const names[] = {"open",   "keep",   "start",        "replace",
                                        "update", "scale",  "adjust",       "stop",
                                        "close",  "master", "needs-restart"};
    _Static_assert(sizeof(names) / sizeof(names[0]) == PLAN_ACTIONS, "a word for each action");
    return names[action];
}

void plan_describe(const struct plan_row *row, char what[PLAN_WHAT_MAX])
{
    static const char *const kinds[] = {"listener ", "pool ", "supervisor ", "shared ", ""};
    (void)snprintf(what, PLAN_WHAT_MAX, "%s%s", kinds[row->kind], row->name);
}
