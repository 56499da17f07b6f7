#ifndef FSD_WORKER_TOOLBOX_CONVERT_H
#define FSD_WORKER_TOOLBOX_CONVERT_H

#include <lua.h>
#include <stddef.h>

#include "worker/toolbox/base64.h"

/* A string that becomes another one, piece by piece. */
struct convert {
    const struct convert_kind *kind;
    struct base64_reader reader; /* for kinds that need it; what the caller has set stands in it */
    size_t done;                 /* of the string */
    size_t len;                  /* of what it has become */
};

struct convert_kind {
    size_t piece_bytes; /* what one call of run gets, but for the last one */
    size_t (*room)(size_t len);
    /* Adds behind convert->len in out.  Raises what is wrong with it. */
    void (*run)(lua_State *L, struct convert *convert, const char *text, size_t len, char *out);
    void (*end)(lua_State *L, struct convert *convert, char *out); /* may be NULL */
};

/* Pushes what the string at index 1 becomes; a long one lets others run in between.  `return convert_string(L, &convert)`. */
int convert_string(lua_State *L, const struct convert *convert);

#endif
