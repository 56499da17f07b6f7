/* config.c - what the master told this worker: pool, limits, the application's settings and environment.
 * Owns the mapping of the CONFIG message; settings and env are handed to Lua from there when a generation is loaded.
 * Called by life.c when CONFIG arrives.  The rows below say where each number goes; keys that are not in them are
 * skipped, so that a newer master can say more.  Must not know YAML or defaults: the master has settled both. */
#include "worker/core/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/msgpack.h"

enum field_kind { FIELD_TEXT, FIELD_U32, FIELD_U64, FIELD_LEVEL, FIELD_MAP, FIELD_GROUP };

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    size_t size; /* FIELD_TEXT: room; FIELD_MAP: offset of the length */
};

#define AT(member)   offsetof(struct config, member)
#define ROOM(member) sizeof(((struct config *)NULL)->member)

static const struct field fields[] = {
    {"pool", FIELD_TEXT, AT(pool), ROOM(pool)},
    {"app", FIELD_TEXT, AT(app), ROOM(app)},
    {"path", FIELD_TEXT, AT(path), ROOM(path)},
    {"trusted_proxies", FIELD_TEXT, AT(trusted_proxies), ROOM(trusted_proxies)},
    {"workers", FIELD_U32, AT(workers), 0},
    {"access", FIELD_TEXT, AT(access), ROOM(access)},
    {"log_level", FIELD_LEVEL, AT(log_level), 0},
    {"refreshes", FIELD_U32, AT(refreshes), 0},
    {"settings", FIELD_MAP, AT(settings), AT(settings_len)},
    {"env", FIELD_MAP, AT(env), AT(env_len)},
    {"limits", FIELD_GROUP, 0, 0},
    {"request_timeout_ms", FIELD_U32, AT(request_timeout_ms), 0},
    {"cpu_ms", FIELD_U32, AT(cpu_ms), 0},
    {"keepalive_ms", FIELD_U32, AT(keepalive_ms), 0},
    {"body_bytes", FIELD_U64, AT(body_bytes), 0},
    {"memory_bytes", FIELD_U64, AT(memory_bytes), 0},
    {"actor_memory_bytes", FIELD_U64, AT(actor_memory_bytes), 0},
    {"replaced_ms", FIELD_U64, AT(replaced_ms), 0},
    {"header_timeout_ms", FIELD_U32, AT(header_timeout_ms), 0},
    {"body_timeout_ms", FIELD_U32, AT(body_timeout_ms), 0},
    {"write_timeout_ms", FIELD_U32, AT(write_timeout_ms), 0},
    {"url_bytes", FIELD_U64, AT(url_bytes), 0},
    {"header_bytes", FIELD_U64, AT(header_bytes), 0},
    {"headers", FIELD_U32, AT(headers), 0},
    {"connections", FIELD_U32, AT(connections), 0},
    {"connections_per_ip", FIELD_U32, AT(connections_per_ip), 0},
    {"compress", FIELD_GROUP, 0, 0},
    {"compress_level", FIELD_U32, AT(compress_level), 0},
    {"compress_min_bytes", FIELD_U64, AT(compress_min_bytes), 0},
};

void config_init(struct config *config)
{
    *config = (struct config){.log_level = LOG_LEVEL_INFO};
}

void config_fini(struct config *config)
{
    fd_unmap(config->bytes, config->len);
    config_init(config);
}

static const struct field *find_field(const char *key, size_t len)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strlen(fields[i].key) == len && memcmp(fields[i].key, key, len) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static int read_text(char *target, size_t room, struct msgpack_reader *reader)
{
    struct msgpack_value value;
    if (msgpack_expect(reader, MSGPACK_STR, &value) != 0 || value.len >= room) {
        return -EPROTO;
    }
    memcpy(target, value.bytes, value.len);
    target[value.len] = '\0';
    return 0;
}

static int read_number(char *target, enum field_kind kind, struct msgpack_reader *reader)
{
    struct msgpack_value value;
    if (msgpack_expect(reader, MSGPACK_INT, &value) != 0 || value.integer < 0) {
        return -EPROTO;
    }
    if (kind == FIELD_U64) {
        uint64_t number = (uint64_t)value.integer;
        memcpy(target, &number, sizeof(number));
        return 0;
    }
    if (value.integer > UINT32_MAX) {
        return -EPROTO;
    }
    uint32_t number = (uint32_t)value.integer; /* enum log_level has the same size */
    _Static_assert(sizeof(enum log_level) == sizeof(uint32_t), "a level is stored as a number");
    memcpy(target, &number, sizeof(number));
    return 0;
}

static int read_map(struct config *config, const struct field *field, struct msgpack_reader *reader)
{
    const void *start = reader->at;
    if (msgpack_skip(reader) != 0) {
        return -EPROTO;
    }
    size_t len = (size_t)(reader->at - (const unsigned char *)start);
    memcpy((char *)config + field->offset, &start, sizeof(start));
    memcpy((char *)config + field->size, &len, sizeof(len));
    return 0;
}

static int read_field(struct config *config, const struct field *field,
                      struct msgpack_reader *reader)
{
    char *target = (char *)config + field->offset;
    switch (field->kind) {
    case FIELD_TEXT:
        return read_text(target, field->size, reader);
    case FIELD_U32:
    case FIELD_U64:
    case FIELD_LEVEL:
        return read_number(target, field->kind, reader);
    case FIELD_MAP:
        return read_map(config, field, reader);
    case FIELD_GROUP:
        break; /* read_fields goes into it */
    }
    return -EPROTO;
}

static int read_fields(struct config *config, struct msgpack_reader *reader, bool top)
{
    struct msgpack_value map;
    if (msgpack_expect(reader, MSGPACK_MAP, &map) != 0) {
        return -EPROTO;
    }
    for (uint32_t i = 0; i < map.count; i++) {
        struct msgpack_value key;
        if (msgpack_expect(reader, MSGPACK_STR, &key) != 0) {
            return -EPROTO;
        }
        const struct field *field = find_field(key.bytes, key.len);
        int error;
        if (field == NULL) {
            error = msgpack_skip(reader);
        } else if (field->kind == FIELD_GROUP) {
            error = top ? read_fields(config, reader, false) : -EPROTO;
        } else {
            error = read_field(config, field, reader);
        }
        if (error != 0) {
            return -EPROTO;
        }
    }
    return 0;
}

int config_read(struct config *config, int fd, struct fsd_err *err)
{
    struct config fresh;
    config_init(&fresh);
    int error = fd_map_sealed(fd, &fresh.bytes, &fresh.len);
    if (error != 0) {
        return fsd_err_set(err, -error, "cannot map the configuration: %s", strerror(-error));
    }
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, fresh.bytes, fresh.len);
    if (read_fields(&fresh, &reader, true) != 0) {
        config_fini(&fresh);
        return fsd_err_set(err, EPROTO, "cannot read the configuration that the master sent");
    }
    config_fini(config);
    *config = fresh;
    return 0;
}

static int export_one(const struct msgpack_value *name, const struct msgpack_value *value)
{
    char *name_text = strndup(name->bytes, name->len);
    char *value_text = strndup(value->bytes, value->len);
    int error = name_text == NULL || value_text == NULL ? -ENOMEM : 0;
    if (error == 0 && setenv(name_text, value_text, 1) != 0) {
        error = -errno;
    }
    free(name_text);
    free(value_text);
    return error;
}

int config_export_env(const struct config *config)
{
    if (config->env == NULL) {
        return 0;
    }
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, config->env, config->env_len);
    struct msgpack_value map;
    int error = msgpack_expect(&reader, MSGPACK_MAP, &map);
    for (uint32_t i = 0; error == 0 && i < map.count; i++) {
        struct msgpack_value name;
        struct msgpack_value value;
        if (msgpack_expect(&reader, MSGPACK_STR, &name) != 0 ||
            msgpack_expect(&reader, MSGPACK_STR, &value) != 0) {
            return -EPROTO;
        }
        error = export_one(&name, &value);
    }
    return error;
}
