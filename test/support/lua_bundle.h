#ifndef FSD_TEST_SUPPORT_LUA_BUNDLE_H
#define FSD_TEST_SUPPORT_LUA_BUNDLE_H

#include <string.h>

#include "common/fd.h"
#include "common/msgpack.h"
#include "worker/core/bundle.h"

/* One file of a bundle that a test makes. */
struct lua_file {
    const char *name;
    const char *source;
};

/* A sealed memfd with these files (sorted by name), the caller closes it.  A NULL name ends the list. */
static inline int lua_bundle_make(const char *main_name, const struct lua_file *files)
{
    uint32_t count = 0;
    while (files[count].name != NULL) {
        count++;
    }
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 1 << 20);
    msgpack_write_raw(&writer, BUNDLE_MAGIC, strlen(BUNDLE_MAGIC));
    msgpack_write_map(&writer, 3);
    msgpack_write_text(&writer, "root");
    msgpack_write_text(&writer, "/srv/app");
    msgpack_write_text(&writer, "main");
    msgpack_write_text(&writer, main_name);
    msgpack_write_text(&writer, "files");
    msgpack_write_array(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        msgpack_write_array(&writer, 2);
        msgpack_write_text(&writer, files[i].name);
        msgpack_write_text(&writer, files[i].source);
    }
    int fd = fd_sealed_from("bundle", writer.data, writer.len);
    msgpack_writer_fini(&writer);
    return fd;
}

#endif
