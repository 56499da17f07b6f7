/* value_path.c - says in words where inside a Lua value something stands, for error messages.
 *
 * Owns nothing.  Writes the keys from the innermost outwards, backwards into the end of the buffer,
 * so that a path too long loses its beginning and keeps the part that names the culprit.
 * Called by the encoders (MessagePack, JSON) when they refuse a value, never on their fast path.
 * Must not call anything of Lua that allocates, converts or can raise. */
#include "worker/core/value_path.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 32 };

static const char opening[] = " at \"";
static const char ellipsis[] = "...";

/* The text grows towards its start. */
struct backwards {
    char *start;
    char *at;
};

static bool prepend(struct backwards *out, const char *text, size_t len)
{
    if (len > (size_t)(out->at - out->start)) {
        return false;
    }
    out->at -= len;
    memcpy(out->at, text, len);
    return true;
}

static bool prepend_number(struct backwards *out, lua_Integer number)
{
    char text[NUMBER_TEXT_MAX];
    int len = snprintf(text, sizeof(text), "[%lld]", (long long)number);
    assert(len > 0 && len < (int)sizeof(text));
    return prepend(out, text, (size_t)len);
}

static bool prepend_name(struct backwards *out, const char *name, size_t len, bool is_first)
{
    if (len > (size_t)(out->at - out->start)) {
        return false;
    }
    out->at -= len;
    for (size_t i = 0; i < len; i++) {
        out->at[i] = name[i];
        if (iscntrl((unsigned char)name[i])) {
            out->at[i] = '?'; /* the sentence goes to a terminal or a log line */
        }
    }
    return is_first || prepend(out, ".", 1);
}

static bool prepend_key(lua_State *L, struct backwards *out, const struct value_place *place)
{
    if (place->key_slot == 0) {
        return prepend_number(out, place->number);
    }
    if (lua_type(L, place->key_slot) == LUA_TSTRING) {
        size_t len = 0;
        const char *name = lua_tolstring(L, place->key_slot, &len);
        return prepend_name(out, name, len, place->outer == NULL);
    }
    return prepend_number(out, lua_tointeger(L, place->key_slot));
}

void value_path_format(lua_State *L, const struct value_place *place, char text[VALUE_PATH_MAX])
{
    if (place == NULL) {
        text[0] = '\0';
        return;
    }
    char *end = text + VALUE_PATH_MAX;
    struct backwards out = {.start = text + sizeof(opening) + sizeof(ellipsis), .at = end};
    (void)prepend(&out, "\"", sizeof("\"")); /* with its NUL; there is room */
    while (place != NULL && prepend_key(L, &out, place)) {
        place = place->outer;
    }
    out.start = text;
    if (place != NULL) {
        (void)prepend(&out, ellipsis, sizeof(ellipsis) - 1); /* room was set aside */
    }
    (void)prepend(&out, opening, sizeof(opening) - 1); /* room was set aside */
    memmove(text, out.at, (size_t)(end - out.at));
}
