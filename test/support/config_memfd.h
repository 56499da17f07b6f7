#ifndef FSD_TEST_SUPPORT_CONFIG_MEMFD_H
#define FSD_TEST_SUPPORT_CONFIG_MEMFD_H

#include "common/fd.h"
#include "common/log_level.h"
#include "common/msgpack.h"

/* What a CONFIG says; NULL and 0 are written as they stand. */
struct config_text {
    const char *pool;
    const char *app;
    const char *path;
    const char *setting;  /* of settings.key */
    const char *variable; /* of env.KEY */
    enum log_level log_level;
    int64_t workers;
    int64_t request_timeout_ms;
    int64_t keepalive_ms;
    int64_t body_bytes;
};

static const struct config_text config_usual = {
    "web", "shop", "/srv/shop/app.lua", "red", "value", LOG_LEVEL_INFO, 2, 4096, 4096, 4096};

static inline void config_put_text(struct msgpack_writer *writer, const char *key, const char *text)
{
    msgpack_write_text(writer, key);
    msgpack_write_text(writer, text);
}

static inline void config_put_int(struct msgpack_writer *writer, const char *key, int64_t value)
{
    msgpack_write_text(writer, key);
    msgpack_write_int(writer, value);
}

/* A sealed memfd as the master makes it; the caller closes it. */
static inline int config_memfd(const struct config_text *text)
{
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 1 << 16);
    msgpack_write_map(&writer, 8);
    config_put_text(&writer, "pool", text->pool);
    config_put_text(&writer, "app", text->app);
    config_put_text(&writer, "path", text->path);
    msgpack_write_text(&writer, "settings");
    msgpack_write_map(&writer, 1);
    config_put_text(&writer, "key", text->setting);
    msgpack_write_text(&writer, "env");
    msgpack_write_map(&writer, 1);
    config_put_text(&writer, "FSD_TEST_KEY", text->variable);
    config_put_int(&writer, "log_level", text->log_level);
    config_put_int(&writer, "workers", text->workers);
    msgpack_write_text(&writer, "limits");
    msgpack_write_map(&writer, 3);
    config_put_int(&writer, "request_timeout_ms", text->request_timeout_ms);
    config_put_int(&writer, "keepalive_ms", text->keepalive_ms);
    config_put_int(&writer, "body_bytes", text->body_bytes);
    int fd = fd_sealed_from("config", writer.data, writer.len);
    msgpack_writer_fini(&writer);
    return fd;
}

#endif
