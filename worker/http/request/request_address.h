#ifndef FSD_WORKER_HTTP_REQUEST_REQUEST_ADDRESS_H
#define FSD_WORKER_HTTP_REQUEST_REQUEST_ADDRESS_H

#include <lua.h>
#include <stdbool.h>

struct address;
struct exchange;
struct sockaddr_storage;

/* The address of a peer; false: it has come by a Unix socket. */
bool request_address_read(const struct sockaddr_storage *from, struct address *ret_address);

/* Fields of req that proxies have a say in, when the setting trust_proxy believes them; each pushes its value. */

void request_push_ip(lua_State *L, struct exchange *exchange);
void request_push_ips(lua_State *L, struct exchange *exchange);
void request_push_protocol(lua_State *L, struct exchange *exchange);
void request_push_secure(lua_State *L, struct exchange *exchange);
void request_push_host(lua_State *L, struct exchange *exchange);
void request_push_hostname(lua_State *L, struct exchange *exchange);
void request_push_subdomains(lua_State *L, struct exchange *exchange);
/* The connection itself, whatever proxies say: { peer = { host, port, family }, local_addr = {...} }. */
void request_push_conn(lua_State *L, struct exchange *exchange);

#endif
