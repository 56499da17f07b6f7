/* handout.c - the CONFIG that a worker gets: its part of the configuration as one MessagePack map in a sealed memfd.
 * Owns nothing: the descriptor is the caller's.  A worker reads no file and no environment of ours; what it shall know
 * stands here.  Called by pool.c when a worker is started.  Must not know when the worker gets it. */
#include "daemon/proc/handout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/msgpack.h"
#include "daemon/conf/conf.h"

enum { HANDOUT_MAX = 4 << 20, TOP_KEYS = 13, LIMIT_KEYS = 15 };

static void write_pair_int(struct msgpack_writer *writer, const char *key, uint64_t value)
{
    msgpack_write_text(writer, key);
    msgpack_write_int(writer, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void write_pair_text(struct msgpack_writer *writer, const char *key, const char *value)
{
    msgpack_write_text(writer, key);
    msgpack_write_text(writer, value);
}

static void write_app(struct msgpack_writer *writer, const struct conf_app *app)
{
    write_pair_text(writer, "app", app->name);
    write_pair_text(writer, "path", app->path);
    msgpack_write_text(writer, "settings");
    if (app->settings == NULL) {
        msgpack_write_map(writer, 0);
    } else {
        msgpack_write_raw(writer, app->settings, app->settings_len);
    }
    msgpack_write_text(writer, "env");
    msgpack_write_map(writer, (uint32_t)app->env_count);
    for (size_t i = 0; i < app->env_count; i++) {
        write_pair_text(writer, app->env[i].name, app->env[i].value);
    }
}

static void write_limits(struct msgpack_writer *writer, const struct conf_limits *limits)
{
    msgpack_write_text(writer, "limits");
    msgpack_write_map(writer, LIMIT_KEYS);
    write_pair_int(writer, "request_timeout_ms", limits->request_timeout_ms);
    write_pair_int(writer, "cpu_ms", limits->cpu_ms);
    write_pair_int(writer, "keepalive_ms", limits->keepalive_ms);
    write_pair_int(writer, "replaced_ms", limits->replaced_ms);
    write_pair_int(writer, "body_bytes", limits->body_bytes);
    write_pair_int(writer, "memory_bytes", limits->memory_bytes);
    write_pair_int(writer, "actor_memory_bytes", limits->actor_memory_bytes);
    write_pair_int(writer, "header_timeout_ms", limits->header_timeout_ms);
    write_pair_int(writer, "body_timeout_ms", limits->body_timeout_ms);
    write_pair_int(writer, "write_timeout_ms", limits->write_timeout_ms);
    write_pair_int(writer, "url_bytes", limits->url_bytes);
    write_pair_int(writer, "header_bytes", limits->header_bytes);
    write_pair_int(writer, "headers", limits->headers);
    write_pair_int(writer, "connections", limits->connections);
    write_pair_int(writer, "connections_per_ip", limits->connections_per_ip);
}

static void write_compress(struct msgpack_writer *writer, const struct conf_compress *compress)
{
    msgpack_write_text(writer, "compress");
    msgpack_write_map(writer, 2);
    write_pair_int(writer, "compress_level", compress->level);
    write_pair_int(writer, "compress_min_bytes", compress->min_bytes);
}

int handout_create(const struct conf *conf, const struct conf_pool *pool, uint64_t number,
                   unsigned workers, struct fsd_err *err)
{
    struct msgpack_writer writer;
    unsigned char *data = NULL;
    size_t len = 0;
    msgpack_writer_init(&writer, HANDOUT_MAX);
    msgpack_write_map(&writer, TOP_KEYS);
    write_pair_int(&writer, "number", number);
    write_pair_text(&writer, "pool", pool->name);
    write_pair_int(&writer, "workers", workers);
    write_app(&writer, &conf->apps[pool->app]); /* four keys */
    write_pair_int(&writer, "log_level", conf->log_level);
    write_pair_int(&writer, "refreshes", conf->refreshes);
    write_pair_text(&writer, "access", conf->log_access == NULL ? "" : conf->log_access);
    write_pair_text(&writer, "trusted_proxies", pool->trusted_proxies);
    write_limits(&writer, &pool->limits);
    write_compress(&writer, &pool->compress);
    int result = msgpack_writer_take(&writer, &data, &len);
    if (result == 0) {
        result = fd_sealed_from("fsd-config", data, len);
    }
    free(data);
    return result < 0 ? fsd_err_set(err, -result, "cannot make the worker's configuration: %s",
                                    strerror(-result))
                      : result;
}
