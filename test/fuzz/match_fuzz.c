/* sources: worker/core/stdlib/match.c worker/core/stdlib/match_find.c worker/core/stdlib/match_item.c worker/core/stdlib/match_set.c worker/core/stdlib/match_special.c worker/core/stdlib/search.c worker/core/stdlib/gsub.c worker/core/stdlib/breath.c worker/core/error.c | lua5.4 */
/* A pattern, a line feed, a subject.  A match and its captures lie inside the subject, and what it may cost is kept; and where
 * few steps do, find, match, gmatch and gsub give what Lua's own functions give, errors and their messages included. */
#include "worker/core/stdlib/match.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/core/stdlib/breath.h"
#include "worker/core/stdlib/gsub.h"
#include "worker/core/stdlib/match_find.h"
#include "worker/core/stdlib/search.h"

enum { STEPS = 20000 };

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* All matches; whether they took so few steps that Lua's own functions end as well. */
static bool walk(struct match_text subject, struct match_text pattern)
{
    struct match match;
    const char *from = subject.bytes;
    const char *end = subject.bytes + subject.len;
    enum match_result result;
    match_init(&match, subject, pattern, STEPS);
    while ((result = match_find(&match, from)) == MATCH_FOUND) {
        demand(match.start >= from && match.start <= match.end && match.end <= end &&
               match.end != match.last_end);
        for (int i = 0; i < match.capture_count; i++) {
            const struct match_capture *capture = &match.captures[i];
            demand(capture->start >= match.start && capture->start <= end);
            demand(capture->len >= MATCH_LEN_POSITION && capture->len <= end - capture->start);
        }
        match.last_end = match.end;
        from = match.end;
    }
    demand(match.steps > -(int64_t)(subject.len + pattern.len + 2) || result == MATCH_MALFORMED);
    return result != MATCH_OUT_OF_STEPS;
}

static const char compare[] =
    "local subject, pattern = ...\n"
    "local function show(ok, ...)\n"
    "  local words = table.pack(...)\n"
    "  for i = 1, words.n do words[i] = math.type(words[i]) or type(words[i]) .. ':' .. "
    "tostring(words[i]) end\n"
    "  return tostring(ok) .. ' ' .. table.concat(words, ' ')\n"
    "end\n"
    "local function all(gmatch)\n"
    "  local words = {}\n"
    "  for a, b in gmatch(subject, pattern) do words[#words + 1] = show(a, b) end\n"
    "  return table.concat(words, ' ')\n"
    "end\n"
    "local function same(f, g, ...)\n"
    "  local wanted, given = show(pcall(f, ...)), show(pcall(g, ...))\n"
    "  if wanted ~= given then error(('%q\\n%q'):format(wanted, given)) end\n"
    "end\n"
    "same(string.find, own_find, subject, pattern)\n"
    "same(string.find, own_find, subject, pattern, -2)\n"
    "same(string.find, own_find, subject, pattern, 2, true)\n"
    "same(string.match, own_match, subject, pattern)\n"
    "same(function() return all(string.gmatch) end, function() "
    "return all(own_gmatch) end)\n"
    "same(string.gsub, own_gsub, subject, pattern, '<%0%1%%>')\n"
    "same(string.gsub, own_gsub, subject, pattern, function(a, b) return b end)\n"
    "same(string.gsub, own_gsub, subject, pattern, { a = 1, b = false, [1] = 'x' })\n"
    "same(string.gsub, own_gsub, subject, pattern, pattern, 2)\n";

static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    breath_open(L);
    lua_register(L, "own_find", search_find);
    lua_register(L, "own_match", search_match);
    lua_register(L, "own_gmatch", search_gmatch);
    lua_register(L, "own_gsub", gsub_call);
    demand(luaL_loadstring(L, compare) == LUA_OK);
    return L;
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;
    if (L == NULL) {
        L = open_state();
    }
    const uint8_t *feed = size == 0 ? NULL : memchr(data, '\n', size);
    if (feed == NULL) {
        return 0;
    }
    /* blocks of their own: reads beyond the end show */
    struct match_text pattern = {.len = (size_t)(feed - data)};
    struct match_text subject = {.len = size - pattern.len - 1};
    char *pattern_bytes = malloc(pattern.len + (pattern.len == 0));
    char *subject_bytes = malloc(subject.len + (subject.len == 0));
    demand(pattern_bytes != NULL && subject_bytes != NULL);
    memcpy(pattern_bytes, data, pattern.len);
    memcpy(subject_bytes, feed + 1, subject.len);
    pattern.bytes = pattern_bytes;
    subject.bytes = subject_bytes;
    if (walk(subject, pattern)) {
        lua_pushvalue(L, 1);
        lua_pushlstring(L, subject.bytes, subject.len);
        lua_pushlstring(L, pattern.bytes, pattern.len);
        if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
            (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
            abort();
        }
    }
    free(pattern_bytes);
    free(subject_bytes);
    return 0;
}
