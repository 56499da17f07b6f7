/* hint.c - helps who knows Express: its methods have names such as sendFile, ours send_file; what is parsed and mounted there by
 * habit is missed here.
 * Owns nothing.  Looks at the words of an error of Lua's that is about to be logged, so that calls that are right cost nothing.
 * Called by failure.c.  Must not know what the methods do. */
#include "worker/http/hint.h"

#include <ctype.h>
#include <string.h>

#include "worker/http/methods.h"

enum { NAME_ROOM = 64 };

/* "sendFile" -> "send_file"; false: it has no capitals, or is no name of ours for sure. */
static bool make_snake(const char *name, size_t len, char snake[NAME_ROOM])
{
    size_t used = 0;
    bool has_capitals = false;
    for (size_t i = 0; i < len && used + 2 < NAME_ROOM; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (isupper(byte)) {
            has_capitals = true;
            snake[used++] = '_';
        }
        snake[used++] = (char)tolower(byte);
    }
    snake[used] = '\0';
    return has_capitals && used + 2 < NAME_ROOM;
}

static const char *push_method(lua_State *L, const char *message)
{
    static const char words[] = "attempt to call a nil value (method '";
    const char *name = strstr(message, words);
    const char *end = name == NULL ? NULL : strchr(name + sizeof(words) - 1, '\'');
    char snake[NAME_ROOM];
    if (end == NULL ||
        !make_snake(name + sizeof(words) - 1, (size_t)(end - name) - (sizeof(words) - 1), snake) ||
        !methods_have(L, snake)) {
        return lua_pushstring(L, message);
    }
    return lua_pushfstring(L, "%s; fsd has \"%s\"", message, snake);
}

const char *hint_push(lua_State *L, const char *message)
{
    static const struct {
        const char *words;
        const char *hint;
    } hints[] = {
        {"attempt to index a nil value (field 'body')",
         "if that is req.body: call req:json() or req:form(), or mount fsd.body.json()"},
        {"attempt to index a nil value (field 'session')",
         "if that is req.session: mount fsd.mw.session in front"},
        {"attempt to call a string value (local 'next')",
         "a function of app:param gets req, res and the value, and returns what takes its place"},
    };
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (strstr(message, hints[i].words) != NULL) {
            return lua_pushfstring(L, "%s; %s", message, hints[i].hint);
        }
    }
    return push_method(L, message);
}
