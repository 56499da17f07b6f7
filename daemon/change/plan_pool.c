/* plan_pool.c - what differs between a pool of one configuration and the pool of the same name in another.
 * Owns the rows of a pool's plain values, each with who has to know it: the workers or the master alone; and the rule of what a
 * worker can't take over while it runs.  Settings and variables are compared but never shown, they may be secrets.
 * Called by plan.c.  Pure.  Must not know what is done about a difference. */
#include "daemon/change/plan_pool.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "daemon/change/plan_listener.h"
#include "daemon/change/plan_supervisor.h"
#include "daemon/conf/conf.h"

enum form { FORM_WORKERS, FORM_NUMBER, FORM_DURATION, FORM_SIZE, FORM_RESTART };
enum part { PART_LIMITS, PART_COUNT, PART_RULES };

struct value_row {
    const char *key;
    size_t offset; /* in struct conf_pool: uint64_t of FORM_SIZE, else 32 bits */
    enum form form;
    enum part part;
};

static const struct value_row value_rows[] = {
    {"limits.request_timeout", offsetof(struct conf_pool, limits.request_timeout_ms), FORM_DURATION,
     PART_LIMITS},
    {"limits.cpu", offsetof(struct conf_pool, limits.cpu_ms), FORM_DURATION, PART_LIMITS},
    {"limits.keepalive", offsetof(struct conf_pool, limits.keepalive_ms), FORM_DURATION,
     PART_LIMITS},
    {"limits.replaced", offsetof(struct conf_pool, limits.replaced_ms), FORM_DURATION, PART_LIMITS},
    {"limits.body", offsetof(struct conf_pool, limits.body_bytes), FORM_SIZE, PART_LIMITS},
    {"limits.memory", offsetof(struct conf_pool, limits.memory_bytes), FORM_SIZE, PART_LIMITS},
    {"limits.actor_memory", offsetof(struct conf_pool, limits.actor_memory_bytes), FORM_SIZE,
     PART_LIMITS},
    {"limits.header_timeout", offsetof(struct conf_pool, limits.header_timeout_ms), FORM_DURATION,
     PART_LIMITS},
    {"limits.body_timeout", offsetof(struct conf_pool, limits.body_timeout_ms), FORM_DURATION,
     PART_LIMITS},
    {"limits.write_timeout", offsetof(struct conf_pool, limits.write_timeout_ms), FORM_DURATION,
     PART_LIMITS},
    {"limits.url_bytes", offsetof(struct conf_pool, limits.url_bytes), FORM_SIZE, PART_LIMITS},
    {"limits.header_bytes", offsetof(struct conf_pool, limits.header_bytes), FORM_SIZE,
     PART_LIMITS},
    {"limits.headers", offsetof(struct conf_pool, limits.headers), FORM_NUMBER, PART_LIMITS},
    {"limits.connections", offsetof(struct conf_pool, limits.connections), FORM_NUMBER,
     PART_LIMITS},
    {"limits.connections_per_ip", offsetof(struct conf_pool, limits.connections_per_ip),
     FORM_NUMBER, PART_LIMITS},
    {"compress.level", offsetof(struct conf_pool, compress.level), FORM_NUMBER, PART_LIMITS},
    {"compress.min_size", offsetof(struct conf_pool, compress.min_bytes), FORM_SIZE, PART_LIMITS},
    {"count", offsetof(struct conf_pool, count), FORM_WORKERS, PART_COUNT},
    {"standby", offsetof(struct conf_pool, standby), FORM_NUMBER, PART_RULES},
    {"boot", offsetof(struct conf_pool, boot_ms), FORM_DURATION, PART_RULES},
    {"heartbeat", offsetof(struct conf_pool, heartbeat_ms), FORM_DURATION, PART_RULES},
    {"drain", offsetof(struct conf_pool, drain_ms), FORM_DURATION, PART_RULES},
    {"shutdown", offsetof(struct conf_pool, shutdown_ms), FORM_DURATION, PART_RULES},
    {"restart", offsetof(struct conf_pool, restart), FORM_RESTART, PART_RULES},
    {"intensity", offsetof(struct conf_pool, intensity), FORM_NUMBER, PART_RULES},
    {"period", offsetof(struct conf_pool, period_ms), FORM_DURATION, PART_RULES},
};
enum { VALUE_ROWS = sizeof(value_rows) / sizeof(value_rows[0]) };
_Static_assert(sizeof(enum supervise_restart) == sizeof(uint32_t) &&
                   sizeof(unsigned) == sizeof(uint32_t),
               "all but sizes are read as 32 bits");

static uint64_t read_value(const struct conf_pool *pool, const struct value_row *row)
{
    const char *at = (const char *)pool + row->offset;
    uint32_t small = 0;
    uint64_t large = 0;
    if (row->form == FORM_SIZE) {
        memcpy(&large, at, sizeof(large));
        return large;
    }
    memcpy(&small, at, sizeof(small));
    return small;
}

static void format_number(uint64_t number, char value[PLAN_TEXT_VALUE_MAX])
{
    (void)snprintf(value, PLAN_TEXT_VALUE_MAX, "%" PRIu64, number);
}

static void format_auto_number(uint64_t number, uint64_t automatic, char value[PLAN_TEXT_VALUE_MAX])
{
    if (number == automatic) {
        (void)snprintf(value, PLAN_TEXT_VALUE_MAX, "auto");
    } else {
        format_number(number, value);
    }
}

static void format_duration(const struct value_row *row, uint64_t ms,
                            char value[PLAN_TEXT_VALUE_MAX])
{
    bool is_shutdown = row->offset == offsetof(struct conf_pool, shutdown_ms);
    if (is_shutdown && (ms == SUPERVISE_BRUTAL_KILL || ms == SUPERVISE_INFINITY)) {
        (void)snprintf(value, PLAN_TEXT_VALUE_MAX, "%s",
                       ms == SUPERVISE_INFINITY ? "infinity" : "brutal_kill");
        return;
    }
    plan_text_format_duration(ms, value);
}

static void format_value(const struct value_row *row, uint64_t number,
                         char value[PLAN_TEXT_VALUE_MAX])
{
    static const char *const restarts[] = {"permanent", "transient", "temporary"};
    _Static_assert(CONF_STANDBY_AUTO == CONF_INTENSITY_AUTO, "one form for both");
    _Static_assert(SUPERVISE_PERMANENT == 0 && SUPERVISE_TEMPORARY == 2, "the order of the words");
    switch (row->form) {
    case FORM_WORKERS:
        format_auto_number(number, 0, value);
        break;
    case FORM_NUMBER:
        format_auto_number(number, CONF_STANDBY_AUTO, value);
        break;
    case FORM_DURATION:
        format_duration(row, number, value);
        break;
    case FORM_SIZE:
        plan_text_format_size(number, value);
        break;
    case FORM_RESTART:
        (void)snprintf(value, PLAN_TEXT_VALUE_MAX, "%s", restarts[number]);
        break;
    }
}

static void compare_values(const struct plan_pool_pair *pair, enum part part,
                           struct plan_text *text)
{
    char before[PLAN_TEXT_VALUE_MAX];
    char after[PLAN_TEXT_VALUE_MAX];
    for (size_t i = 0; i < VALUE_ROWS; i++) {
        const struct value_row *row = &value_rows[i];
        uint64_t old = read_value(pair->old, row);
        uint64_t now = read_value(pair->now, row);
        if (row->part == part && old != now) {
            format_value(row, old, before);
            format_value(row, now, after);
            plan_text_add(text, "%s %s -> %s", row->key, before, after);
        }
    }
}

void plan_pool_compare_limits(const struct plan_pool_pair *pair, struct plan_text *text)
{
    compare_values(pair, PART_LIMITS, text);
    if (pair->from->log_level != pair->to->log_level) {
        plan_text_add(text, "log.level %s -> %s", log_level_format(pair->from->log_level),
                      log_level_format(pair->to->log_level));
    }
    if (strcmp(pair->old->trusted_proxies, pair->now->trusted_proxies) != 0) {
        plan_text_add(text, "trusted_proxies changed");
    }
    const char *old = pair->from->log_access == NULL ? "null" : pair->from->log_access;
    const char *now = pair->to->log_access == NULL ? "null" : pair->to->log_access;
    if (strcmp(old, now) != 0) {
        plan_text_add(text, "log.access changed");
    }
}

void plan_pool_compare_count(const struct plan_pool_pair *pair, struct plan_text *text)
{
    compare_values(pair, PART_COUNT, text);
}

void plan_pool_compare_rules(const struct plan_pool_pair *pair, struct plan_text *text)
{
    compare_values(pair, PART_RULES, text);
    if (!plan_supervisor_is_same_children(pair->from, &pair->old->after, pair->to,
                                          &pair->now->after)) {
        plan_text_add(text, "after changed");
    }
    uint32_t old_ms = pair->from->apps[pair->old->app].probation_ms;
    uint32_t now_ms = pair->to->apps[pair->now->app].probation_ms;
    if (old_ms != now_ms) {
        char before[PLAN_TEXT_VALUE_MAX];
        char after[PLAN_TEXT_VALUE_MAX];
        plan_text_format_duration(old_ms, before);
        plan_text_format_duration(now_ms, after);
        plan_text_add(text, "probation %s -> %s", before, after);
    }
}

static const struct conf_env *find_env(const struct conf_app *app, const char *name)
{
    for (size_t i = 0; i < app->env_count; i++) {
        if (strcmp(app->env[i].name, name) == 0) {
            return &app->env[i];
        }
    }
    return NULL;
}

/* Each variable of old has the same value in now. */
static bool has_all_env(const struct conf_app *old, const struct conf_app *now)
{
    for (size_t i = 0; i < old->env_count; i++) {
        const struct conf_env *other = find_env(now, old->env[i].name);
        if (other == NULL || strcmp(old->env[i].value, other->value) != 0) {
            return false;
        }
    }
    return true;
}

static bool is_same_settings(const struct conf_app *old, const struct conf_app *now)
{
    return old->settings_len == now->settings_len &&
           (old->settings_len == 0 || memcmp(old->settings, now->settings, old->settings_len) == 0);
}

void plan_pool_compare_process(const struct plan_pool_pair *pair, struct plan_text *text)
{
    const struct conf_app *old = &pair->from->apps[pair->old->app];
    const struct conf_app *now = &pair->to->apps[pair->now->app];
    if (strcmp(old->name, now->name) != 0) {
        plan_text_add(text, "app %s -> %s", old->name, now->name);
    }
    if (strcmp(old->path, now->path) != 0) {
        plan_text_add(text, "path \"%s\" -> \"%s\"", old->path, now->path);
    }
    if (!is_same_settings(old, now)) {
        plan_text_add(text, "settings changed");
    }
    if (old->env_count != now->env_count || !has_all_env(old, now)) {
        plan_text_add(text, "env changed");
    }
    plan_listener_compare(pair->from, pair->old, pair->to, pair->now, text);
}
