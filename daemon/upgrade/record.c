/* record.c - structs of plain members, written as MessagePack and read back.
 * Owns the two directions and the walks over a struct; what a struct has is told by rows.  A map has one pair a row, so that a later
 * version may know more keys than an earlier one.  What is read is hostile: kinds, ranges, lengths and counts are checked, nothing
 * is left half-built that record_free can't free.
 * Called by upgrade_state.c.  Pure: memory, no system call, no log.  Must not know what any member means. */
#include "daemon/upgrade/record.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

enum { FD_FIRST = 3, FD_LAST = 1 << 24 }; /* 0 to 2 are nobody's */

static const void *find_member(const void *object, const struct record_row *row)
{
    return (const char *)object + row->offset;
}

static void *reach_member(void *object, const struct record_row *row)
{
    return (char *)object + row->offset;
}

static void *get_item(const struct record_list *list, const struct record_type *type, size_t index)
{
    return (char *)list->items + index * type->size;
}

void *record_list_make(struct record_list *list, const struct record_type *type, size_t count)
{
    /* one more than needed: an empty list is no lack of memory */
    list->items = calloc(count + 1, type->size);
    list->count = list->items == NULL ? 0 : count;
    return list->items;
}

static void write_list(struct msgpack_writer *writer, const struct record_type *type,
                       const struct record_list *list)
{
    msgpack_write_array(writer, (uint32_t)list->count);
    for (size_t i = 0; i < list->count; i++) {
        record_write(writer, type, get_item(list, type, i));
    }
}

static void write_member(struct msgpack_writer *writer, const struct record_row *row,
                         const void *member)
{
    switch (row->kind) {
    case RECORD_UINT:
        msgpack_write_int(writer, (int64_t) * (const uint64_t *)member);
        break;
    case RECORD_BOOL:
        msgpack_write_bool(writer, *(const bool *)member);
        break;
    case RECORD_NAME:
        msgpack_write_text(writer, member);
        break;
    case RECORD_TEXT: {
        const char *text = *(char *const *)member;
        msgpack_write_text(writer, text == NULL ? "" : text);
        break;
    }
    case RECORD_FD:
    case RECORD_MAYBE_FD:
        msgpack_write_int(writer, *(const int *)member);
        break;
    case RECORD_LIST:
        write_list(writer, row->type, member);
        break;
    case RECORD_PART:
        record_write(writer, row->type, member);
        break;
    }
}

void record_write(struct msgpack_writer *writer, const struct record_type *type, const void *object)
{
    assert(type->count <= RECORD_ROWS_MAX);
    msgpack_write_map(writer, (uint32_t)type->count);
    for (size_t i = 0; i < type->count; i++) {
        msgpack_write_text(writer, type->rows[i].key);
        write_member(writer, &type->rows[i], find_member(object, &type->rows[i]));
    }
}

static int fail(const struct record_row *row, struct fsd_err *err)
{
    return fsd_err_set(err, EPROTO, "\"%s\" is not what it should be", row->key);
}

static int read_uint(struct msgpack_reader *reader, const struct record_row *row, uint64_t *ret)
{
    struct msgpack_value value;
    if (msgpack_expect(reader, MSGPACK_INT, &value) < 0 ||
        (value.integer < 0 && row->limit != UINT64_MAX) || (uint64_t)value.integer > row->limit) {
        return -EPROTO;
    }
    *ret = (uint64_t)value.integer;
    return 0;
}

static int read_bool(struct msgpack_reader *reader, bool *ret)
{
    struct msgpack_value value;
    if (msgpack_expect(reader, MSGPACK_BOOL, &value) < 0) {
        return -EPROTO;
    }
    *ret = value.boolean;
    return 0;
}

static int read_fd(struct msgpack_reader *reader, const struct record_row *row, int *ret)
{
    struct msgpack_value value;
    if (msgpack_expect(reader, MSGPACK_INT, &value) < 0) {
        return -EPROTO;
    }
    bool is_none = row->kind == RECORD_MAYBE_FD && value.integer == -1;
    if (!is_none && (value.integer < FD_FIRST || value.integer > FD_LAST)) {
        return -EPROTO;
    }
    *ret = (int)value.integer;
    return 0;
}

/* A text without a NUL of at most so many bytes. */
static int read_str(struct msgpack_reader *reader, uint64_t limit, struct msgpack_value *ret)
{
    bool is_good = msgpack_expect(reader, MSGPACK_STR, ret) == 0 && ret->len <= limit &&
                   memchr(ret->bytes, '\0', ret->len) == NULL;
    return is_good ? 0 : -EPROTO;
}

static int read_name(struct msgpack_reader *reader, const struct record_row *row, char *ret)
{
    struct msgpack_value value;
    int error = read_str(reader, row->limit - 1, &value);
    if (error == 0) {
        memcpy(ret, value.bytes, value.len);
        ret[value.len] = '\0';
    }
    return error;
}

static int read_text(struct msgpack_reader *reader, const struct record_row *row, char **ret)
{
    struct msgpack_value value;
    int error = read_str(reader, row->limit, &value);
    if (error < 0) {
        return error;
    }
    *ret = strndup(value.bytes, value.len);
    return *ret == NULL ? -ENOMEM : 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the rows are */
static int read_list(struct record_source *source, const struct record_row *row,
                     struct record_list *list, struct fsd_err *err)
{
    struct msgpack_value value;
    if (msgpack_expect(&source->reader, MSGPACK_ARRAY, &value) < 0 || value.count > row->limit) {
        return fail(row, err);
    }
    if (record_list_make(list, row->type, value.count) == NULL) {
        return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    int error = 0;
    for (size_t i = 0; i < list->count && error == 0; i++) {
        error = record_read(source, row->type, get_item(list, row->type, i), err);
    }
    return error;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static int read_member(struct record_source *source, const struct record_row *row, void *member,
                       struct fsd_err *err)
{
    int error = 0;
    switch (row->kind) {
    case RECORD_UINT:
        error = read_uint(&source->reader, row, member);
        break;
    case RECORD_BOOL:
        error = read_bool(&source->reader, member);
        break;
    case RECORD_NAME:
        error = read_name(&source->reader, row, member);
        break;
    case RECORD_TEXT:
        error = read_text(&source->reader, row, member);
        break;
    case RECORD_FD:
    case RECORD_MAYBE_FD:
        error = read_fd(&source->reader, row, member);
        break;
    case RECORD_LIST:
        return read_list(source, row, member, err);
    case RECORD_PART:
        return record_read(source, row->type, member, err);
    }
    return error == -EPROTO ? fail(row, err)
           : error < 0      ? fsd_err_set(err, -error, "%s", strerror(-error))
                            : 0;
}

/* The number of the row, or type->count. */
static size_t find_row(const struct record_type *type, const struct msgpack_value *key)
{
    size_t i = 0;
    while (i < type->count && (strlen(type->rows[i].key) != key->len ||
                               memcmp(type->rows[i].key, key->bytes, key->len) != 0)) {
        i++;
    }
    return i;
}

/* A descriptor can't be made up, all else has a meaning when it is zero. */
static int check_complete(const struct record_source *source, const struct record_type *type,
                          void *object, uint64_t seen, struct fsd_err *err)
{
    for (size_t i = 0; i < type->count; i++) {
        const struct record_row *row = &type->rows[i];
        if ((seen & (UINT64_C(1) << i)) != 0) {
            continue;
        }
        if (!source->may_lack || row->kind == RECORD_FD) {
            return fsd_err_set(err, EPROTO, "\"%s\" is missing", row->key);
        }
        if (row->kind == RECORD_MAYBE_FD) {
            *(int *)reach_member(object, row) = -1;
        }
    }
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
int record_read(struct record_source *source, const struct record_type *type, void *object,
                struct fsd_err *err)
{
    struct msgpack_value map;
    uint64_t seen = 0;
    assert(type->count <= RECORD_ROWS_MAX);
    if (msgpack_expect(&source->reader, MSGPACK_MAP, &map) < 0) {
        return fsd_err_set(err, EPROTO, "it is cut short, or no map where one should be");
    }
    for (uint32_t i = 0; i < map.count; i++) {
        struct msgpack_value key;
        if (msgpack_expect(&source->reader, MSGPACK_STR, &key) < 0) {
            return fsd_err_set(err, EPROTO, "it is cut short, or no key where one should be");
        }
        size_t number = find_row(type, &key);
        if (number == type->count) {
            if (msgpack_skip(&source->reader) < 0) {
                return fsd_err_set(err, EPROTO, "an unknown key has no value");
            }
            continue;
        }
        const struct record_row *row = &type->rows[number];
        if ((seen & (UINT64_C(1) << number)) != 0) {
            return fsd_err_set(err, EPROTO, "\"%s\" is there twice", row->key);
        }
        seen |= UINT64_C(1) << number;
        int error = read_member(source, row, reach_member(object, row), err);
        if (error < 0) {
            return error;
        }
    }
    return check_complete(source, type, object, seen, err);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void record_free(const struct record_type *type, void *object)
{
    for (size_t i = 0; i < type->count; i++) {
        const struct record_row *row = &type->rows[i];
        void *member = reach_member(object, row);
        if (row->kind == RECORD_TEXT) {
            free(*(char **)member);
            *(char **)member = NULL;
        } else if (row->kind == RECORD_PART) {
            record_free(row->type, member);
        } else if (row->kind == RECORD_LIST) {
            struct record_list *list = member;
            for (size_t j = 0; j < list->count; j++) {
                record_free(row->type, get_item(list, row->type, j));
            }
            free(list->items);
            *list = (struct record_list){NULL, 0};
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
int record_visit_fds(const struct record_type *type, const void *object, record_fd_fn visit,
                     void *owner)
{
    int result = 0;
    for (size_t i = 0; i < type->count && result == 0; i++) {
        const struct record_row *row = &type->rows[i];
        const void *member = find_member(object, row);
        if (row->kind == RECORD_PART) {
            result = record_visit_fds(row->type, member, visit, owner);
        } else if (row->kind == RECORD_LIST) {
            const struct record_list *list = member;
            for (size_t j = 0; j < list->count && result == 0; j++) {
                result = record_visit_fds(row->type, get_item(list, row->type, j), visit, owner);
            }
        } else if (row->kind == RECORD_FD || row->kind == RECORD_MAYBE_FD) {
            int fd = *(const int *)member;
            result = fd < 0 ? 0 : visit(owner, fd, row->limit);
        }
    }
    return result;
}
