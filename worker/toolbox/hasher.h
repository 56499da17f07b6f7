#ifndef FSD_WORKER_TOOLBOX_HASHER_H
#define FSD_WORKER_TOOLBOX_HASHER_H

#include <lua.h>

/* Hashes for Lua; each is a function with the digests (hasher_push_digests) as its first upvalue. */

/* crypto.hash(name, data [, encoding]) */
int hasher_hash(lua_State *L);
/* crypto.hmac(name, key, data [, encoding]) */
int hasher_hmac(lua_State *L);
/* crypto.hasher(name [, key]) -> hasher with update(data) and digest([encoding]) */
int hasher_new(lua_State *L);

/* Pushes a userdata with the digests of one lua_State; makes the class of hashers. */
void hasher_push_digests(lua_State *L);
/* Pushes bytes in the encoding named at index: "raw", "hex", "base64", "base64url"; otherwise when there is none. */
void hasher_push_encoded(lua_State *L, int index, const char *otherwise, const void *bytes,
                         size_t len);

#endif
