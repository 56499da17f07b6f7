/* sources: worker/actor/node/codec.c worker/actor/node/codec_read.c worker/actor/pid.c worker/actor/ref.c worker/core/value.c worker/core/value_path.c common/msgpack.c common/msgpack_read.c common/err.c | lua5.4 libh2o-evloop */
/* Whatever the bytes, reading ends, and what is accepted may be sent: it is written, read and written again as the same
 * number of bytes. */
#include "worker/actor/node/codec.h"

#include <lauxlib.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/err.h"
#include "common/msgpack.h"
#include "worker/actor/pid.h"
#include "worker/actor/ref.h"
#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/core/value.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct runtime runtime = {.incarnation = 1};
static struct copy_marks marks;

static lua_State *make_state(void)
{
    lua_State *L = luaL_newstate();
    *(void **)lua_getextraspace(L) = &runtime;
    pid_init(L);
    ref_init(L);
    marks.ref = ref_mark(L);
    value_push_array_mark(L);
    marks.array = lua_topointer(L, -1);
    luaL_newmetatable(L, ERROR_METATABLE);
    marks.error = lua_topointer(L, -1);
    lua_settop(L, 0);
    return L;
}

static size_t write_and_read(lua_State *L, size_t *ret_bytes)
{
    struct msgpack_writer writer;
    struct msgpack_reader reader;
    struct fsd_err err;
    size_t read = 0;
    msgpack_writer_init(&writer, CODEC_BYTES_MAX);
    if (codec_write(L, -1, &marks, &writer, ret_bytes, &err) != 0) {
        msgpack_writer_fini(&writer);
        return 0; /* a map that counts for more as a table, or a key of a list that was no list */
    }
    msgpack_reader_init(&reader, writer.data, writer.len);
    if (writer.error != 0 || codec_push(L, &reader, &read) != 0 || reader.at != reader.end ||
        read != *ret_bytes) {
        abort();
    }
    size_t len = writer.len;
    msgpack_writer_fini(&writer);
    return len;
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;
    if (L == NULL) {
        L = make_state();
    }
    struct msgpack_reader reader;
    size_t bytes = 0;
    msgpack_reader_init(&reader, data, size);
    if (codec_push(L, &reader, &bytes) != 0) {
        if (lua_gettop(L) != 0 || reader.at != data) {
            abort();
        }
        return 0;
    }
    size_t first = write_and_read(L, &bytes);
    if (first != 0 && write_and_read(L, &bytes) != first) {
        abort();
    }
    lua_settop(L, 0);
    return 0;
}
