/*
 * schema_rows.c - every key of the configuration, one row each.
 *
 * Owns the table that gives parsing, ranges, defaults, "did you mean", messages and the example
 * file; to add a key, add a row (and its field in struct conf).  The rows of a section stand in
 * the order in which the example shows them; sections at the top are bound in this order too,
 * listeners and apps before the pools that name them.
 *
 * Pure data.  Read by schema.c, schema_example.c and conf_merge.c.
 */
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/schema.h"

#define LISTENER(field) offsetof(struct conf_listener, field)
#define APP(field)      offsetof(struct conf_app, field)
#define POOL(field)     offsetof(struct conf_pool, field)
#define CONF(field)     offsetof(struct conf, field)

/* section, name, kind, offset, min, max, initial, example, help */
static const struct schema_row key_rows[] = {
    {"", "version", SCHEMA_VERSION, 0, "1", "1", "1", "1", "The format of this file."},

    {"", "listeners", SCHEMA_ENTRIES, 0, NULL, NULL, NULL, "http",
     "Where connections are accepted, by name."},
    {"listeners.*", "listen", SCHEMA_ADDRESS, LISTENER(address), NULL, NULL, NULL,
     "\"127.0.0.1:8080\"",
     "An address: \"127.0.0.1:8080\", \"[::1]:8080\", \":8080\" (every IPv4 and IPv6 address)\n"
     "or \"unix:/run/x.sock\".  Port 0: the kernel chooses."},

    {"", "apps", SCHEMA_ENTRIES, 0, NULL, NULL, NULL, "hello", "The applications, by name."},
    {"apps.*", "path", SCHEMA_PATH, APP(path), NULL, NULL, NULL, "../examples/hello/app.lua",
     "The main file, or a folder with an app.lua.  A relative path starts at the folder of this\n"
     "file."},
    {"apps.*", "settings", SCHEMA_SETTINGS, 0, NULL, NULL, "{}", NULL,
     "Whatever the application wants to know, as fsd.config.settings."},
    {"apps.*", "env", SCHEMA_VARIABLES, 0, NULL, NULL, "{}", NULL,
     "Strings for the application, as fsd.config.env; \"${CRED:name}\" and \"${FILE:/path}\" keep\n"
     "secrets out of this file."},

    {"", "pools", SCHEMA_ENTRIES, 0, NULL, NULL, NULL, "web",
     "Groups of worker processes, each running one app."},
    {"pools.*", "app", SCHEMA_APP_NAME, POOL(app), NULL, NULL, NULL, "hello",
     "The app, by its name above."},
    {"pools.*", "listeners", SCHEMA_LISTEN_NAMES, 0, NULL, NULL, "[]", "[http]",
     "What the pool serves; a listener belongs to one pool."},
    {"pools.*", "count", SCHEMA_COUNT, POOL(count), "1", "64", "auto", NULL,
     "How many workers; auto: one for each CPU."},
    {"pools.*", "boot", SCHEMA_DURATION, POOL(boot_ms), "100ms", "1h", "60s", NULL,
     "How long a worker may take to become ready."},
    {"pools.*", "drain", SCHEMA_DURATION, POOL(drain_ms), "0s", "1h", "5s", NULL,
     "How long a leaving worker keeps idle connections."},
    {"pools.*", "shutdown", SCHEMA_DURATION, POOL(shutdown_ms), "100ms", "1d", "30s", NULL,
     "How long a leaving worker may finish its work before it is killed."},
    {"pools.*", "limits", SCHEMA_SECTION, 0, NULL, NULL, NULL, NULL, "What one request may use."},
    {"pools.*.limits", "request_timeout", SCHEMA_DURATION, POOL(limits.request_timeout_ms), "1ms",
     "1d", "30s", NULL, "How long a handler may take."},
    {"pools.*.limits", "keepalive", SCHEMA_DURATION, POOL(limits.keepalive_ms), "1ms", "1d", "60s",
     NULL, "How long a connection may be idle, or take to send one request."},
    {"pools.*.limits", "body", SCHEMA_SIZE, POOL(limits.body_bytes), "0", "1024GiB", "1MiB", NULL,
     "The largest request body."},

    {"", "log", SCHEMA_SECTION, 0, NULL, NULL, NULL, NULL, "What is logged, and how."},
    {"log", "level", SCHEMA_LOG_LEVEL, CONF(log_level), NULL, NULL, "info", NULL,
     "error, warning, notice, info or debug."},
    {"log", "format", SCHEMA_LOG_FORMAT, CONF(log_format), NULL, NULL, "text", NULL,
     "text or json."},

    {"", "control", SCHEMA_SECTION, 0, NULL, NULL, NULL, "", "The socket that fsdctl talks to."},
    {"control", "path", SCHEMA_PATH, CONF(control_path), NULL, NULL, "/run/fsd/control.sock",
     "\"${ENV:FSD_SOCKET:-/run/fsd/control.sock}\"",
     "In every string, ${ENV:NAME} or ${ENV:NAME:-default} is a variable of the environment."},
};

enum { ROW_COUNT = sizeof(key_rows) / sizeof(key_rows[0]) };

const struct schema_row *schema_rows(size_t *ret_count)
{
    *ret_count = ROW_COUNT;
    return key_rows;
}

const struct schema_row *schema_find_row(const char *section, const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(key_rows[i].section, section) == 0 && strcmp(key_rows[i].name, name) == 0) {
            return &key_rows[i];
        }
    }
    return NULL;
}

bool schema_is_named(const char *section)
{
    const struct schema_row *row = schema_find_row("", section);

    return row != NULL && row->kind == SCHEMA_ENTRIES;
}
