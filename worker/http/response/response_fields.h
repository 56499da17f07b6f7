#ifndef FSD_WORKER_HTTP_RESPONSE_RESPONSE_FIELDS_H
#define FSD_WORKER_HTTP_RESPONSE_RESPONSE_FIELDS_H

#include <lua.h>

struct exchange;

/* Methods of res: res:type (res:content_type), res:location, res:vary, res:links, res:attachment, res:no_compress. */
int response_fields_type(lua_State *L);
int response_fields_location(lua_State *L);
int response_fields_vary(lua_State *L);
int response_fields_links(lua_State *L);
int response_fields_attachment(lua_State *L);
int response_fields_no_compress(lua_State *L);

/* Sets the header Location to the URL at index, escaped; what was set stays on the stack, as a string. */
void response_fields_set_location(lua_State *L, struct exchange *exchange, int index);
/* Adds names to the header Vary; they are names of headers. */
void response_fields_add_vary(struct exchange *exchange, const char *names);

#endif
