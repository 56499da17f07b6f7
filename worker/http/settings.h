#ifndef FSD_WORKER_HTTP_SETTINGS_H
#define FSD_WORKER_HTTP_SETTINGS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

struct exchange;

enum settings_etag {
    SETTINGS_ETAG_WEAK,
    SETTINGS_ETAG_STRONG,
    SETTINGS_ETAG_OFF,
    SETTINGS_ETAG_FUNCTION
};

enum settings_query_parser {
    SETTINGS_QUERY_SIMPLE,
    SETTINGS_QUERY_EXTENDED,
    SETTINGS_QUERY_OFF,
    SETTINGS_QUERY_FUNCTION
};

enum { SETTINGS_SPACES_MAX = 10, SETTINGS_CALLBACK_MAX = 64 };

/* What app:set was told, as far as C needs it.  The values themselves stand in a Lua table of the application. */
struct settings {
    uint32_t
        given; /* bit i: row i of settings.c was set by this application, not by one around it */
    bool case_sensitive_routing;
    bool strict_routing;
    bool method_not_allowed; /* 405 for another method of a known path; else 404 */
    bool x_powered_by;
    bool json_escape;
    enum settings_etag etag;
    enum settings_query_parser query_parser;
    char json_spaces[SETTINGS_SPACES_MAX + 1]; /* "" without an indentation */
    char jsonp_callback_name[SETTINGS_CALLBACK_MAX + 1];
    uint64_t subdomain_offset;
    uint64_t request_timeout_ms; /* 0: the pool's */
    uint64_t body_limit_bytes;   /* 0: the pool's */
    struct address_trust trust;  /* of a kind UNSET: the pool's */
};

/* What an application has that sets nothing. */
void settings_init(struct settings *settings);
/* Takes over the value at index, nil for the default.  Raises for a value that the setting can't have; names that fsd does not know
 * are the application's own. */
void settings_set(lua_State *L, struct settings *settings, const char *name, int index);
/* The setting that was most likely meant by a name that is none of ours; NULL: it may well be the application's own. */
const char *settings_find_nearest(const char *name);
/* Takes over what parent says wherever child was told nothing. */
void settings_inherit(struct settings *child, const struct settings *parent);
/* Pushes the value of a setting that was never set, and returns its type; nil for most. */
int settings_push_default(lua_State *L, const char *name);

/* The settings that count for the handler that runs: those of the application that it belongs to. */
const struct settings *exchange_settings(const struct exchange *exchange);
/* Pushes such a setting as Lua knows it, whatever its name, and returns its type. */
int settings_push(lua_State *L, const struct exchange *exchange, const char *name);

#endif
