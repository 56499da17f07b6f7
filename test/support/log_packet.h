#ifndef FSD_TEST_SUPPORT_LOG_PACKET_H
#define FSD_TEST_SUPPORT_LOG_PACKET_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/msgpack.h"
#include "common/proto.h"

/* A record as the master gets it, its fields as one text: "key=value key=value". */
struct log_packet {
    int64_t level;
    int64_t wall_us;
    int64_t dropped;
    char message[PROTO_LOG_MAX];
    size_t message_len;
    char fields[PROTO_LOG_MAX];
};

static inline void log_packet_add(struct log_packet *packet, const struct msgpack_value *key,
                                  const struct msgpack_value *value)
{
    size_t len = strlen(packet->fields);
    char *to = packet->fields + len;
    size_t room = sizeof(packet->fields) - len;
    const char *space = len > 0 ? " " : "";
    int key_len = (int)key->len;
    switch (value->kind) {
    case MSGPACK_NIL:
        (void)snprintf(to, room, "%s%.*s=nil", space, key_len, key->bytes);
        break;
    case MSGPACK_BOOL:
        (void)snprintf(to, room, "%s%.*s=%s", space, key_len, key->bytes,
                       value->boolean ? "true" : "false");
        break;
    case MSGPACK_INT:
        (void)snprintf(to, room, "%s%.*s=%lld", space, key_len, key->bytes,
                       (long long)value->integer);
        break;
    case MSGPACK_FLOAT:
        (void)snprintf(to, room, "%s%.*s=%g", space, key_len, key->bytes, value->number);
        break;
    case MSGPACK_STR:
        (void)snprintf(to, room, "%s%.*s=%.*s", space, key_len, key->bytes, (int)value->len,
                       value->bytes);
        break;
    case MSGPACK_BIN:
    case MSGPACK_ARRAY:
    case MSGPACK_MAP:
        (void)snprintf(to, room, "%s%.*s=NOT A SCALAR", space, key_len, key->bytes);
        break;
    }
}

/* Receives one record and decodes it strictly.  false: none is there, or it breaks the contract of proto.h. */
static inline bool log_packet_read(int sock, struct log_packet *packet)
{
    unsigned char bytes[PROTO_LOG_MAX + 1];
    ssize_t len = recv(sock, bytes, sizeof(bytes), MSG_DONTWAIT);
    struct msgpack_reader reader;
    struct msgpack_value value;
    if (len <= 0 || len > PROTO_LOG_MAX) {
        return false;
    }
    memset(packet, 0, sizeof(*packet));
    msgpack_reader_init(&reader, bytes, (size_t)len);
    if (msgpack_expect(&reader, MSGPACK_ARRAY, &value) != 0 || value.count != 5) {
        return false;
    }
    int64_t *const numbers[] = {&packet->level, &packet->wall_us, &packet->dropped};
    for (size_t i = 0; i < 3; i++) {
        if (msgpack_expect(&reader, MSGPACK_INT, &value) != 0) {
            return false;
        }
        *numbers[i] = value.integer;
    }
    if (msgpack_expect(&reader, MSGPACK_STR, &value) != 0) {
        return false;
    }
    memcpy(packet->message, value.bytes, value.len);
    packet->message_len = value.len;
    struct msgpack_value map;
    if (msgpack_expect(&reader, MSGPACK_MAP, &map) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < map.count; i++) {
        struct msgpack_value key;
        if (msgpack_expect(&reader, MSGPACK_STR, &key) != 0 || msgpack_read(&reader, &value) != 0) {
            return false;
        }
        log_packet_add(packet, &key, &value);
    }
    return reader.at == reader.end;
}

#endif
