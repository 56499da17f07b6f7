/* bundle.c - `fsd-worker --tool bundle`: an application's files become one checked, hashed bundle.
 * Owns nothing that outlives the process.  Reads the files (source_tree.c), compiles each without running it, writes the
 * format of core/bundle.h to the descriptor that the caller gave, and prints the hash.
 * Run by the master for every load and by `fsd check`.  Must not run application code. */
#include "worker/tool/bundle.h"

#include <errno.h>
#include <lauxlib.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/msgpack.h"
#include "common/proto.h"
#include "worker/core/bundle.h"
#include "worker/tool/source_tree.h"

enum { HASH_LEN = 32, REPORTS_MAX = 20 };

/* The main file may have any name; templates are compiled when they are used. */
static bool is_lua(const struct source_tree *tree, const char *name)
{
    size_t len = strlen(name);
    return strcmp(name, tree->main) == 0 || (len > 4 && strcmp(name + len - 4, ".lua") == 0);
}

/* Compiles every Lua file; prints what does not compile as ROOT/FILE:LINE: why.  Returns how many do not. */
static int check_syntax(const struct source_tree *tree)
{
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        abort();
    }
    int broken = 0;
    for (size_t i = 0; i < tree->count && broken < REPORTS_MAX; i++) {
        const struct source_file *file = &tree->files[i];
        if (!is_lua(tree, file->name)) {
            continue;
        }
        const char *chunk_name = lua_pushfstring(L, "@%s", file->name);
        if (luaL_loadbufferx(L, file->text, file->len, chunk_name, "t") != LUA_OK) {
            const char *message = lua_tostring(L, -1);
            size_t name_len = strlen(file->name);
            bool has_place =
                strncmp(message, file->name, name_len) == 0 && message[name_len] == ':';
            (void)fprintf(stderr, "%s/%s%s%s\n", tree->root, has_place ? "" : file->name,
                          has_place ? "" : ": ", message);
            broken++;
        }
        lua_settop(L, 0);
    }
    lua_close(L);
    return broken;
}

static void encode(const struct source_tree *tree, struct msgpack_writer *writer)
{
    msgpack_write_raw(writer, BUNDLE_MAGIC, sizeof(BUNDLE_MAGIC) - 1);
    msgpack_write_map(writer, 3);
    msgpack_write_text(writer, "root");
    msgpack_write_text(writer, tree->root);
    msgpack_write_text(writer, "main");
    msgpack_write_text(writer, tree->main);
    msgpack_write_text(writer, "files");
    msgpack_write_array(writer, (uint32_t)tree->count);
    for (size_t i = 0; i < tree->count; i++) {
        msgpack_write_array(writer, 2);
        msgpack_write_text(writer, tree->files[i].name);
        msgpack_write_str(writer, tree->files[i].text, tree->files[i].len);
    }
}

/* The hash is of names and texts alone: the same code in another folder has the same hash. */
static int hash(const struct source_tree *tree, unsigned char digest[HASH_LEN])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return -ENOMEM;
    }
    int ok = 1;
    for (size_t i = 0; i < tree->count && ok == 1; i++) {
        const struct source_file *file = &tree->files[i];
        uint64_t len =
            file->len; /* frames the text, so that no two trees collide by concatenation */
        ok = EVP_DigestUpdate(context, file->name, strlen(file->name) + 1) == 1 &&
             EVP_DigestUpdate(context, &len, sizeof(len)) == 1 &&
             EVP_DigestUpdate(context, file->text, file->len) == 1;
    }
    ok = ok == 1 && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    return ok ? 0 : -EIO;
}

static int emit(const struct source_tree *tree, int fd, unsigned char digest[HASH_LEN])
{
    struct msgpack_writer writer;
    /* names and heads add a little to the texts */
    msgpack_writer_init(&writer, (size_t)BUNDLE_BYTES_MAX * 2);
    encode(tree, &writer);
    int error = writer.error != 0 ? writer.error : hash(tree, digest);
    if (error == 0) {
        error = fd_write_all(fd, writer.data, writer.len);
    }
    msgpack_writer_fini(&writer);
    if (error != 0) {
        (void)fprintf(stderr, "cannot write the bundle: %s\n", strerror(-error));
        return FSD_EXIT_INTERNAL;
    }
    return FSD_EXIT_OK;
}

static int make(struct source_tree *tree, const char *app, int fd, unsigned char digest[HASH_LEN])
{
    struct fsd_err err;
    if (source_tree_read(tree, app, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        *tree = (struct source_tree){0};
        return FSD_EXIT_NO_INPUT;
    }
    return check_syntax(tree) == 0 ? emit(tree, fd, digest) : FSD_EXIT_LOAD;
}

int tool_bundle_write(const char *app, int fd)
{
    struct source_tree tree;
    unsigned char digest[HASH_LEN];
    int code = make(&tree, app, fd, digest);
    source_tree_fini(&tree);
    return code;
}

int tool_bundle(int argc, char **argv)
{
    if (argc != 2 || strcmp(argv[0], "--app") != 0) {
        (void)fprintf(stderr, "usage: fsd-worker --tool bundle --app FILE\n");
        return FSD_EXIT_USAGE;
    }
    struct source_tree tree;
    unsigned char digest[HASH_LEN];
    int code = make(&tree, argv[1], PROTO_FD_BUNDLE, digest);
    for (size_t i = 0; code == FSD_EXIT_OK && i < HASH_LEN; i++) {
        (void)printf("%02x", digest[i]);
    }
    if (code == FSD_EXIT_OK) {
        (void)printf(" %zu %zu\n", tree.count, tree.bytes);
        code = fflush(stdout) == 0 ? FSD_EXIT_OK : FSD_EXIT_INTERNAL;
    }
    source_tree_fini(&tree);
    return code;
}
