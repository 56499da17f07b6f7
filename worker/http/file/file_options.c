/* file_options.c - the options that all who send files have in common.
 *   accept_ranges  cache_control  dotfiles  etag  headers  immutable  last_modified  max_age
 * Owns the texts of headers.  One row an option; what is derived from several (Cache-Control) is worked out once they are all there.
 * Called while an application loads (fsd.static), and by handlers (res:send_file).  Must not know files. */
#include "worker/http/file/file_options.h"

#include <ctype.h>
#include <h2o.h>
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "common/parse.h"
#include "worker/http/text/header_text.h"

enum { MAX_AGE_LIMIT_S = 31536000 }; /* a year: more has no meaning to caches */

void file_options_init(struct file_options *options)
{
    *options = (struct file_options){
        .dotfiles = FILE_DOTFILES_IGNORE,
        .accept_ranges = true,
        .etag = true,
        .last_modified = true,
        .cache_control = true,
    };
}

void file_options_fini(struct file_options *options)
{
    for (size_t i = 0; i < options->header_count; i++) {
        free(options->headers[i].name);
        free(options->headers[i].value);
    }
    free(options->headers);
    options->headers = NULL;
    options->header_count = 0;
}

bool file_options_flag(lua_State *L, const char *caller, const char *name)
{
    if (lua_type(L, -1) != LUA_TBOOLEAN) {
        luaL_error(L, "%s: option \"%s\" must be true or false, got %s", caller, name,
                   luaL_typename(L, -1));
    }
    return lua_toboolean(L, -1) != 0;
}

static void take_dotfiles(lua_State *L, struct file_options *options, const char *caller,
                          const char *name)
{
    static const char *const words[] = {"ignore", "allow", "deny"};
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i]) == 0) {
            options->dotfiles = (enum file_dotfiles)i;
            return;
        }
    }
    luaL_error(L, "%s: option \"%s\" must be \"ignore\", \"allow\" or \"deny\"", caller, name);
}

static void take_max_age(lua_State *L, struct file_options *options, const char *caller,
                         const char *name)
{
    uint64_t ms = 0;
    if (lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) >= 0) {
        lua_Number seconds = lua_tonumber(L, -1);
        options->max_age_s = seconds < MAX_AGE_LIMIT_S ? (uint64_t)seconds : MAX_AGE_LIMIT_S;
        return;
    }
    if (lua_type(L, -1) != LUA_TSTRING || parse_duration_ms(lua_tostring(L, -1), &ms) != 0) {
        luaL_error(L, "%s: option \"%s\" must be a number of seconds or a time such as \"1d\"",
                   caller, name);
    }
    options->max_age_s = ms / 1000 < MAX_AGE_LIMIT_S ? ms / 1000 : MAX_AGE_LIMIT_S;
}

/* The name is at -2, the value at -1. */
static void take_header(lua_State *L, struct file_options *options, const char *caller)
{
    size_t name_len = 0;
    size_t len = 0;
    bool is_text = lua_type(L, -2) == LUA_TSTRING &&
                   (lua_type(L, -1) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER);
    if (!is_text) {
        luaL_error(L, "%s: option \"headers\" must be a table of names and texts", caller);
    }
    const char *name = lua_tolstring(L, -2, &name_len);
    lua_pushvalue(L, -1); /* a number becomes text, but not in the table */
    const char *value = lua_tolstring(L, -1, &len);
    const char *fault = header_text_fault(name, name_len, value, len);
    if (fault != NULL) {
        luaL_error(L, "%s: option \"headers\": cannot set \"%s\": %s", caller,
                   header_text_is_name(name, name_len) ? name : "?", fault);
    }
    struct file_header *header = &options->headers[options->header_count++];
    *header = (struct file_header){h2o_strdup(NULL, name, name_len).base,
                                   h2o_strdup(NULL, value, len).base, name_len, len};
    for (size_t i = 0; i < name_len; i++) {
        header->name[i] = (char)tolower((unsigned char)header->name[i]);
    }
    lua_pop(L, 1);
}

static void take_headers(lua_State *L, struct file_options *options, const char *caller,
                         const char *name)
{
    if (lua_type(L, -1) != LUA_TTABLE) {
        luaL_error(L, "%s: option \"%s\" must be a table, got %s", caller, name,
                   luaL_typename(L, -1));
    }
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        count++;
    }
    file_options_fini(options);
    options->headers = calloc(count + 1, sizeof(*options->headers));
    if (options->headers == NULL) {
        abort();
    }
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        take_header(L, options, caller);
    }
}

bool file_options_take(lua_State *L, struct file_options *options, const char *caller,
                       const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"accept_ranges", &options->accept_ranges},
        {"cache_control", &options->cache_control},
        {"etag", &options->etag},
        {"immutable", &options->immutable},
        {"last_modified", &options->last_modified},
    };
    static const struct {
        const char *name;
        void (*take)(lua_State *, struct file_options *, const char *, const char *);
    } others[] = {
        {"dotfiles", take_dotfiles}, {"headers", take_headers}, {"max_age", take_max_age}};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(flags[i].name, name) == 0) {
            *flags[i].flag = file_options_flag(L, caller, name);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(others[i].name, name) == 0) {
            others[i].take(L, options, caller, name);
            return true;
        }
    }
    return false;
}

void file_options_finish(struct file_options *options)
{
    options->cache_text[0] = '\0';
    if (options->cache_control) {
        (void)snprintf(options->cache_text, sizeof(options->cache_text),
                       "public, max-age=%" PRIu64 "%s", options->max_age_s,
                       options->immutable ? ", immutable" : "");
    }
}

int file_options_refuse(lua_State *L, const char *caller, const char *name,
                        const char *const *names, size_t count)
{
    const char *nearest = nearest_find(name, names, count);
    if (nearest == NULL) {
        return luaL_error(L, "%s: unknown option \"%s\"", caller, name);
    }
    return luaL_error(L, "%s: unknown option \"%s\"; did you mean \"%s\"?", caller, name, nearest);
}
