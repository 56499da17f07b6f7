/* folder_options.c - the options of fsd.static.
 *   those of file_options.c, and: allow  extensions  fallthrough  hash_immutable  index  precompressed  redirect  spa
 * Owns nothing; fills a folder.  An option that nobody knows is a mistake, and so is a name that would lead out of the folder.
 * Called while an application loads.  Must not know requests. */
#include "worker/http/file/folder_options.h"

#include <h2o.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/file/file_coding.h"
#include "worker/http/file/folder.h"

#define CALLER "fsd.static"

static const char *const names[] = {
    "accept_ranges", "allow",          "cache_control", "dotfiles",  "etag",  "extensions",
    "fallthrough",   "hash_immutable", "headers",       "immutable", "index", "last_modified",
    "listing",       "max_age",        "precompressed", "redirect",  "spa",
};

static void add_text(lua_State *L, struct folder_list *list, const char *name)
{
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "%s: option \"%s\" must have texts, got %s", CALLER, name,
                   luaL_typename(L, -1));
    }
    if (list->count == FOLDER_LIST_MAX) {
        luaL_error(L, "%s: option \"%s\" has more than %d texts", CALLER, name, FOLDER_LIST_MAX);
    }
    list->texts[list->count++] = h2o_strdup(NULL, lua_tostring(L, -1), SIZE_MAX).base;
}

static void clear_list(struct folder_list *list)
{
    while (list->count > 0) {
        free(list->texts[--list->count]);
    }
}

/* false, a text, or a list of texts. */
static void take_list(lua_State *L, struct folder_list *list, const char *name)
{
    clear_list(list);
    if (lua_type(L, -1) == LUA_TBOOLEAN && !lua_toboolean(L, -1)) {
        return;
    }
    if (lua_type(L, -1) != LUA_TTABLE) {
        add_text(L, list, name);
        return;
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        add_text(L, list, name);
        lua_pop(L, 1);
    }
}

/* A name as it can stand below the folder. */
static void check_name(lua_State *L, const char *text, const char *name)
{
    struct file_path path;
    if (file_path_take(text, strlen(text), &path) != FILE_PATH_FINE || path.is_folder) {
        luaL_error(L, "%s: option \"%s\": \"%s\" is no name of a file below the folder", CALLER,
                   name, text);
    }
}

static void take_index(lua_State *L, struct folder *folder, const char *name)
{
    take_list(L, &folder->index, name);
    for (size_t i = 0; i < folder->index.count; i++) {
        check_name(L, folder->index.texts[i], name);
    }
}

static void take_extensions(lua_State *L, struct folder *folder, const char *name)
{
    take_list(L, &folder->extensions, name);
    for (size_t i = 0; i < folder->extensions.count; i++) {
        char *text = folder->extensions.texts[i];
        if (text[0] == '.') {
            memmove(text, text + 1, strlen(text));
        }
        check_name(L, text, name);
    }
}

static void take_precompressed(lua_State *L, struct folder *folder, const char *name)
{
    take_list(L, &folder->precompressed, name);
    for (size_t i = 0; i < folder->precompressed.count; i++) {
        if (file_coding_name(folder->precompressed.texts[i]) == NULL) {
            luaL_error(L, "%s: option \"%s\": \"%s\" is none of \"br\", \"gz\" and \"zst\"", CALLER,
                       name, folder->precompressed.texts[i]);
        }
    }
}

static void take_allow(lua_State *L, struct folder *folder, const char *name)
{
    take_list(L, &folder->allow, name);
    for (size_t i = 0; i < folder->allow.count; i++) {
        if (folder->allow.texts[i][0] != '/') {
            luaL_error(L, "%s: option \"%s\": \"%s\" does not begin with a slash", CALLER, name,
                       folder->allow.texts[i]);
        }
    }
}

static void take_spa(lua_State *L, struct folder *folder, const char *name)
{
    free(folder->spa);
    folder->spa = NULL;
    if (lua_type(L, -1) == LUA_TBOOLEAN && !lua_toboolean(L, -1)) {
        return;
    }
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "%s: option \"%s\" must be the path of a file, got %s", CALLER, name,
                   luaL_typename(L, -1));
    }
    const char *text = lua_tostring(L, -1);
    text += text[0] == '/' ? 1 : 0;
    check_name(L, text, name);
    folder->spa = h2o_strdup(NULL, text, SIZE_MAX).base;
}

/* Nobody makes lists of files; who says so is right. */
static void take_listing(lua_State *L, struct folder *folder, const char *name)
{
    (void)folder;
    if (file_options_flag(L, CALLER, name)) {
        luaL_error(L, "%s: option \"%s\" can only be false: folders are not listed", CALLER, name);
    }
}

/* Whether it is an option of folders. */
static bool take(lua_State *L, struct folder *folder, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"fallthrough", &folder->fallthrough},
        {"hash_immutable", &folder->hash_immutable},
        {"redirect", &folder->redirect},
    };
    static const struct {
        const char *name;
        void (*take)(lua_State *, struct folder *, const char *);
    } others[] = {
        {"allow", take_allow},     {"extensions", take_extensions},       {"index", take_index},
        {"listing", take_listing}, {"precompressed", take_precompressed}, {"spa", take_spa},
    };
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(flags[i].name, name) == 0) {
            *flags[i].flag = file_options_flag(L, CALLER, name);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(others[i].name, name) == 0) {
            others[i].take(L, folder, name);
            return true;
        }
    }
    return false;
}

/* One option: the name at -2, the value at -1. */
static void take_option(lua_State *L, struct folder *folder)
{
    if (lua_type(L, -2) != LUA_TSTRING) {
        luaL_error(L, "%s: options have names", CALLER);
    }
    const char *name = lua_tostring(L, -2);
    if (strcmp(name, "headers") == 0 && lua_isfunction(L, -1)) {
        return; /* the caller's */
    }
    if (!take(L, folder, name) && !file_options_take(L, &folder->options, CALLER, name)) {
        (void)file_options_refuse(L, CALLER, name, names, sizeof(names) / sizeof(names[0]));
    }
}

void folder_options_read(lua_State *L, int index, struct folder *folder)
{
    file_options_init(&folder->options);
    folder->index.texts[folder->index.count++] = h2o_strdup(NULL, "index.html", SIZE_MAX).base;
    folder->fallthrough = true;
    folder->redirect = true;
    lua_pushnil(L); /* the function for headers */
    if (!lua_isnoneornil(L, index)) {
        luaL_checktype(L, index, LUA_TTABLE);
        for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
            take_option(L, folder);
        }
        if (lua_getfield(L, index, "headers") == LUA_TFUNCTION) {
            lua_replace(L, -2);
        } else {
            lua_pop(L, 1);
        }
    }
    file_options_finish(&folder->options);
}
