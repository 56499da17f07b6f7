/* bundle.c - reads a bundle: maps it, checks it, finds a file by name.
 * Owns the mapping and an index over it; the sources are compiled from where they lie.  A worker loads application code from
 * nowhere else, so every worker of a generation runs the same bytes, whatever half a deploy lies on the disk.
 * Called by generation.c.  Must not know Lua. */
#include "worker/core/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/msgpack.h"

enum { MAGIC_LEN = sizeof(BUNDLE_MAGIC) - 1 };

static int compare_names(const char *left, size_t left_len, const char *right, size_t right_len)
{
    size_t shorter = left_len < right_len ? left_len : right_len;
    int order = memcmp(left, right, shorter);
    if (order != 0) {
        return order;
    }
    return (left_len > right_len) - (left_len < right_len);
}

static int read_file(struct bundle *bundle, struct msgpack_reader *reader)
{
    struct msgpack_value pair;
    struct msgpack_value name;
    struct msgpack_value source;
    if (msgpack_expect(reader, MSGPACK_ARRAY, &pair) != 0 || pair.count != 2 ||
        msgpack_expect(reader, MSGPACK_STR, &name) != 0 ||
        msgpack_expect(reader, MSGPACK_STR, &source) != 0) {
        return -EPROTO;
    }
    if (bundle->file_count > 0) {
        const struct bundle_file *last = &bundle->files[bundle->file_count - 1];
        if (compare_names(last->name, last->name_len, name.bytes, name.len) >= 0) {
            return -EPROTO; /* not sorted: bundle_find would miss */
        }
    }
    bundle->files[bundle->file_count++] =
        (struct bundle_file){name.bytes, name.len, source.bytes, source.len};
    return 0;
}

static int read_files(struct bundle *bundle, struct msgpack_reader *reader)
{
    struct msgpack_value list;
    if (msgpack_expect(reader, MSGPACK_ARRAY, &list) != 0 || list.count > BUNDLE_FILES_MAX ||
        bundle->files != NULL) {
        return -EPROTO;
    }
    bundle->files = calloc(list.count > 0 ? list.count : 1, sizeof(*bundle->files));
    if (bundle->files == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < list.count; i++) {
        if (read_file(bundle, reader) != 0) {
            return -EPROTO;
        }
    }
    return 0;
}

static int read_text(struct msgpack_reader *reader, const char **ret_text, size_t *ret_len)
{
    struct msgpack_value value;
    if (msgpack_expect(reader, MSGPACK_STR, &value) != 0) {
        return -EPROTO;
    }
    *ret_text = value.bytes;
    *ret_len = value.len;
    return 0;
}

static int read_entry(struct bundle *bundle, struct msgpack_reader *reader)
{
    struct msgpack_value key;
    if (msgpack_expect(reader, MSGPACK_STR, &key) != 0) {
        return -EPROTO;
    }
    if (key.len == 5 && memcmp(key.bytes, "files", 5) == 0) {
        return read_files(bundle, reader);
    }
    if (key.len == 4 && memcmp(key.bytes, "main", 4) == 0) {
        return read_text(reader, &bundle->main, &bundle->main_len);
    }
    if (key.len == 4 && memcmp(key.bytes, "root", 4) == 0) {
        return read_text(reader, &bundle->root, &bundle->root_len);
    }
    return msgpack_skip(reader);
}

static int read_all(struct bundle *bundle)
{
    if (bundle->len < MAGIC_LEN || memcmp(bundle->bytes, BUNDLE_MAGIC, MAGIC_LEN) != 0) {
        return -EPROTO;
    }
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, (const char *)bundle->bytes + MAGIC_LEN, bundle->len - MAGIC_LEN);
    struct msgpack_value map;
    if (msgpack_expect(&reader, MSGPACK_MAP, &map) != 0) {
        return -EPROTO;
    }
    for (uint32_t i = 0; i < map.count; i++) {
        int error = read_entry(bundle, &reader);
        if (error != 0) {
            return error;
        }
    }
    return bundle->main == NULL || bundle->files == NULL ? -EPROTO : 0;
}

int bundle_open(struct bundle *bundle, int fd, struct fsd_err *err)
{
    *bundle = (struct bundle){0};
    int error = fd_map_sealed(fd, &bundle->bytes, &bundle->len);
    if (error == 0) {
        error = read_all(bundle);
    }
    if (error != 0) {
        bundle_close(bundle);
        return fsd_err_set(err, -error, "cannot read the bundle: %s", strerror(-error));
    }
    return 0;
}

void bundle_close(struct bundle *bundle)
{
    free(bundle->files);
    fd_unmap(bundle->bytes, bundle->len);
    *bundle = (struct bundle){0};
}

const struct bundle_file *bundle_find(const struct bundle *bundle, const char *name, size_t len)
{
    size_t low = 0;
    size_t high = bundle->file_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct bundle_file *file = &bundle->files[middle];
        int order = compare_names(file->name, file->name_len, name, len);
        if (order == 0) {
            return file;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
