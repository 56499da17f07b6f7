/*
 * schema_rows.c - every key of the configuration, one row each.
 *
 * Owns the table that gives parsing, ranges, defaults, "did you mean", messages and the example
 * file; to add a key, add a row (and its field in struct conf).  The rows of a section stand in
 * the order in which the example shows them.
 *
 * Pure data.  Read by schema.c, schema_example.c and conf_merge.c.
 */
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/schema.h"

#define LISTENER(field)   offsetof(struct conf_listener, field)
#define APP(field)        offsetof(struct conf_app, field)
#define POOL(field)       offsetof(struct conf_pool, field)
#define SUPERVISOR(field) offsetof(struct conf_supervisor, field)
#define SHARED(field)     offsetof(struct conf_shared, field)
#define CONF(field)       offsetof(struct conf, field)

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
    {"apps.*", "env_files", SCHEMA_FILES, 0, NULL, NULL, "{}", NULL,
     "Files whose texts are more such strings: NAME: /path is the same as NAME: "
     "\"${FILE:/path}\"."},
    {"apps.*", "probation", SCHEMA_DURATION, APP(probation_ms), "0s", "1d", "60s", NULL,
     "How long new code must run without tripping the restart limit of a pool (intensity, below)\n"
     "before it counts as confirmed.  When it trips it, the confirmed code comes back by itself.\n"
     "0s: new code is confirmed at once."},

    {"", "pools", SCHEMA_ENTRIES, 0, NULL, NULL, NULL, "web",
     "Groups of worker processes, each running one app."},
    {"pools.*", "app", SCHEMA_APP_NAME, POOL(app), NULL, NULL, NULL, "hello",
     "The app, by its name above."},
    {"pools.*", "listeners", SCHEMA_LISTEN_NAMES, 0, NULL, NULL, "[]", "[http]",
     "What the pool serves; a listener belongs to one pool."},
    {"pools.*", "count", SCHEMA_COUNT, POOL(count), "1", "64", "auto", NULL,
     "How many workers; auto: one for each CPU that this service may use."},
    {"pools.*", "standby", SCHEMA_STANDBY, POOL(standby), "0", "8", "auto", NULL,
     "How many more workers wait, ready to take over from one that died; auto: 1 when the pool\n"
     "has more than one worker, else 0."},
    {"pools.*", "boot", SCHEMA_DURATION, POOL(boot_ms), "100ms", "1h", "60s", NULL,
     "How long a worker may take to become ready."},
    {"pools.*", "heartbeat", SCHEMA_DURATION, POOL(heartbeat_ms), "1s", "1h", "30s", NULL,
     "A worker whose event loop has stood still for so long is ended and replaced."},
    {"pools.*", "drain", SCHEMA_DURATION, POOL(drain_ms), "0s", "1h", "5s", NULL,
     "How long a leaving worker keeps idle connections."},
    {"pools.*", "shutdown", SCHEMA_SHUTDOWN, POOL(shutdown_ms), "100ms", "1d", "30s", NULL,
     "How long a leaving worker may finish its work before it is killed; infinity: as long as it\n"
     "takes; brutal_kill: it is killed at once."},
    {"pools.*", "restart", SCHEMA_RESTART, POOL(restart), NULL, NULL, "permanent", NULL,
     "When a worker that ended is started again.  permanent: always; transient: when it failed;\n"
     "temporary: never."},
    {"pools.*", "intensity", SCHEMA_INTENSITY, POOL(intensity), "0", "1000", "auto", NULL,
     "The pool gives up when its workers had to be started again more often than this (auto: as\n"
     "often as it has workers, those in reserve included, at least 5) ..."},
    {"pools.*", "period", SCHEMA_DURATION, POOL(period_ms), "1s", "1h", "30s", NULL,
     "... within this time."},
    {"pools.*", "after", SCHEMA_CHILDREN, POOL(after), NULL, NULL, "[]", NULL,
     "Pools and supervisors that must serve before this pool is started, and are stopped after "
     "it."},
    {"pools.*", "limits", SCHEMA_SECTION, 0, NULL, NULL, NULL, NULL,
     "What one request, and one worker, may use."},
    {"pools.*.limits", "request_timeout", SCHEMA_DURATION, POOL(limits.request_timeout_ms), "1ms",
     "1d", "30s", NULL, "How long a handler may take."},
    {"pools.*.limits", "cpu", SCHEMA_DURATION, POOL(limits.cpu_ms), "10ms", "1d", "10s", NULL,
     "How much CPU time a handler may use."},
    {"pools.*.limits", "keepalive", SCHEMA_DURATION, POOL(limits.keepalive_ms), "1ms", "1d", "60s",
     NULL, "How long a connection may be idle between two requests."},
    {"pools.*.limits", "replaced", SCHEMA_DURATION, POOL(limits.replaced_ms), "1s", "1d", "60s",
     NULL,
     "How long requests, tasks and actors that are under way when the code is reloaded may go on\n"
     "on the old code."},
    {"pools.*.limits", "body", SCHEMA_SIZE, POOL(limits.body_bytes), "0", "1024GiB", "10MiB", NULL,
     "The largest request body.  From 1MiB on it is kept in a file below /tmp, where there is "
     "room."},
    {"pools.*.limits", "memory", SCHEMA_SIZE, POOL(limits.memory_bytes), "16MiB", "1024GiB",
     "512MiB", NULL,
     "What all Lua code in one worker may use.  When little of it is left, the request, task or\n"
     "actor that has the most is ended."},
    {"pools.*.limits", "actor_memory", SCHEMA_SIZE, POOL(limits.actor_memory_bytes), "0", "1024GiB",
     "0", NULL,
     "What one actor may use of it; one that uses more is ended.  0: each as much as there is."},
    {"pools.*.limits", "header_timeout", SCHEMA_DURATION, POOL(limits.header_timeout_ms), "1ms",
     "1d", "10s", NULL, "How long the head of a request may take, from its first byte."},
    {"pools.*.limits", "body_timeout", SCHEMA_DURATION, POOL(limits.body_timeout_ms), "1ms", "1d",
     "30s", NULL,
     "How long a client may send nothing of a body, or less than 100 bytes a second of it."},
    {"pools.*.limits", "write_timeout", SCHEMA_DURATION, POOL(limits.write_timeout_ms), "1ms", "1d",
     "30s", NULL,
     "How long a client may take nothing of an answer, or less than 100 bytes a second of it."},
    {"pools.*.limits", "url_bytes", SCHEMA_SIZE, POOL(limits.url_bytes), "64", "64KiB", "8KiB",
     NULL, "The longest URL of a request."},
    {"pools.*.limits", "header_bytes", SCHEMA_SIZE, POOL(limits.header_bytes), "256", "256KiB",
     "32KiB", NULL, "How large the header fields of a request may be together."},
    {"pools.*.limits", "headers", SCHEMA_NUMBER, POOL(limits.headers), "1", "100", "64", NULL,
     "How many header fields a request may have."},
    {"pools.*.limits", "connections", SCHEMA_NUMBER, POOL(limits.connections), "0", "1000000", "0",
     NULL,
     "How many connections a worker has open at once; more wait to be accepted.  0: as many as it\n"
     "has descriptors."},
    {"pools.*.limits", "connections_per_ip", SCHEMA_NUMBER, POOL(limits.connections_per_ip), "0",
     "1000000", "0", NULL,
     "How many of them may come from one address (IPv6: from one /64); more are closed at once.\n"
     "0: any number."},
    {"pools.*", "trusted_proxies", SCHEMA_PROXIES, POOL(trusted_proxies), NULL, NULL, "null", NULL,
     "Proxies that are believed when they say for whom they speak (X-Forwarded-For, Forwarded):\n"
     "addresses, ranges, loopback, linklocal, uniquelocal, with commas between.  What the\n"
     "application sets as trust_proxy goes before it."},
    {"pools.*", "compress", SCHEMA_SECTION, 0, NULL, NULL, NULL, NULL,
     "Which answers of handlers leave compressed, to clients that take gzip."},
    {"pools.*.compress", "level", SCHEMA_NUMBER, POOL(compress.level), "0", "9", "0", NULL,
     "From 1, fast, to 9, small; 0: none is compressed.  Where an answer shows a secret beside "
     "what a\n"
     "client has sent, its compressed length tells of the secret: res:no_compress()."},
    {"pools.*.compress", "min_size", SCHEMA_SIZE, POOL(compress.min_bytes), "1", "1GiB", "1KiB",
     NULL, "The smallest body that is."},

    {"", "supervisors", SCHEMA_ENTRIES, 0, NULL, NULL, NULL, NULL,
     "What is restarted together: supervisors of pools and of other supervisors, by name."},
    {"supervisors.*", "strategy", SCHEMA_STRATEGY, SUPERVISOR(strategy), NULL, NULL, "one_for_one",
     NULL,
     "What is restarted when a child gives up.  one_for_one: that child; one_for_all: all\n"
     "children; rest_for_one: that child and those behind it in the list."},
    {"supervisors.*", "intensity", SCHEMA_NUMBER, SUPERVISOR(intensity), "0", "1000", "5", NULL,
     "The supervisor itself gives up at more restarts than this ..."},
    {"supervisors.*", "period", SCHEMA_DURATION, SUPERVISOR(period_ms), "1s", "1h", "30s", NULL,
     "... within this time."},
    {"supervisors.*", "children", SCHEMA_CHILDREN, SUPERVISOR(children), NULL, NULL, NULL, "[web]",
     "Its pools and supervisors, in the order in which they are started; each has one parent."},
    {"supervisors.*", "after", SCHEMA_CHILDREN, SUPERVISOR(after), NULL, NULL, "[]", NULL,
     "Pools and supervisors that must serve before its children are started, and are stopped after "
     "them."},

    {"", "shared", SCHEMA_ENTRIES, 0, NULL, NULL, NULL, NULL,
     "Dictionaries in memory that all workers share, by name, as fsd.shared.open(name)."},
    {"shared.*", "size", SCHEMA_SIZE, SHARED(size_bytes), "64KiB", "64GiB", "16MiB", NULL,
     "How large it is; what was not used for the longest time goes when it is full.  With another\n"
     "size it starts anew, empty."},

    {"", "log", SCHEMA_SECTION, 0, NULL, NULL, NULL, NULL, "What is logged, and how."},
    {"log", "level", SCHEMA_LOG_LEVEL, CONF(log_level), NULL, NULL, "info", NULL,
     "error, warning, notice, info or debug."},
    {"log", "format", SCHEMA_LOG_FORMAT, CONF(log_format), NULL, NULL, "text", NULL,
     "text or json."},
    {"log", "path", SCHEMA_PATH, CONF(log_path), NULL, NULL, "null", NULL,
     "A file that the log is written to; null: standard error."},
    {"log", "access", SCHEMA_LOG_ACCESS, CONF(log_access), NULL, NULL, "null", NULL,
     "A line for each request: combined, json, or a template with nginx's variables, such as\n"
     "'$remote_addr \"$request\" $status $request_time'.  null: none."},
    {"log", "access_path", SCHEMA_PATH, CONF(log_access_path), NULL, NULL, "null", NULL,
     "A file that these are written to; null: standard output."},

    {"", "control", SCHEMA_SECTION, 0, NULL, NULL, NULL, "", "The socket that fsdctl talks to."},
    {"control", "path", SCHEMA_PATH, CONF(control_path), NULL, NULL, "/run/fsd/control.sock",
     "\"${ENV:FSD_SOCKET:-/run/fsd/control.sock}\"",
     "In every string, ${ENV:NAME} or ${ENV:NAME:-default} is a variable of the environment."},

    {"", "state", SCHEMA_SECTION, 0, NULL, NULL, NULL, NULL, "What outlives a restart."},
    {"state", "path", SCHEMA_PATH, CONF(state_path), NULL, NULL, "/var/lib/fsd", NULL,
     "A folder for crash reports and former configurations.  $STATE_DIRECTORY, which systemd\n"
     "sets, is the default where it is set."},

    {"", "user", SCHEMA_USER, CONF(user), NULL, NULL, "null", NULL,
     "Whom the workers run as when fsd is started as root."},
    {"", "group", SCHEMA_GROUP, CONF(group), NULL, NULL, "null", NULL,
     "Their group; null: that of the user."},
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
