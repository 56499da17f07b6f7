/* request_address.c - from where a request comes, and for which host:
 *   req.ip  req.ips  req.protocol  req.secure  req.host  req.hostname  req.subdomains  req.conn
 * Owns nothing.  What proxies say counts only as far as it was said by somebody whom the setting trust_proxy believes: first the peer of
 * the connection, then, as long as each is believed, the one it names.  Of the two families of headers only one counts: X-Forwarded-*
 * if there is any of them, else Forwarded, because a proxy that sets the one hands on what a client says in the other.
 * Called by request.c, through its rows, in the coroutine of the handlers: trust_proxy may be a function. */
#include "worker/http/request/request_address.h"

#include <h2o.h>
#include <lauxlib.h>
#include <netinet/in.h>
#include <string.h>

#include "common/address.h"
#include "worker/core/value.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request_headers.h"
#include "worker/http/service.h"
#include "worker/http/settings.h"
#include "worker/http/text/forwarded.h"

/* Who speaks, and what of it counts. */
struct origin {
    bool has_peer; /* else it is a Unix socket's */
    struct address peer;
    bool is_forwarded; /* the header Forwarded counts, not X-Forwarded-* */
    struct forwarded forwarded;
    unsigned believed; /* so many of its hops were said by somebody who is trusted */
};

bool request_address_read(const struct sockaddr_storage *from, struct address *ret_address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)from;
        memcpy(ret_address->bytes, mapped, sizeof(mapped));
        memcpy(ret_address->bytes + sizeof(mapped), &in->sin_addr, 4);
        return true;
    }
    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)from;
        memcpy(ret_address->bytes, &in->sin6_addr, 16);
        return true;
    }
    return false;
}

static const struct address_trust *get_trust(const struct exchange *exchange)
{
    const struct address_trust *own = &exchange_settings(exchange)->trust;
    return own->kind != ADDRESS_TRUST_UNSET ? own : &exchange->service->trust;
}

/* Whether a peer at that distance is believed; NULL: it came by a Unix socket, so from this machine. */
static bool is_trusted(lua_State *L, const struct exchange *exchange, const struct address *address,
                       unsigned distance)
{
    static const struct address loopback = {{[15] = 1}};
    const struct address_trust *trust = get_trust(exchange);
    if (trust->kind != ADDRESS_TRUST_FUNCTION) {
        return address_is_trusted(trust, address != NULL ? address : &loopback, distance);
    }
    char text[ADDRESS_TEXT_MAX] = "unix:";
    if (address != NULL) {
        address_format(address, text);
    }
    (void)settings_push(L, exchange, "trust_proxy");
    lua_pushstring(L, text);
    lua_pushinteger(L, (lua_Integer)distance + 1);
    lua_call(L, 2, 1);
    bool is = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return is;
}

static bool has_header(const struct exchange *exchange, const char *name)
{
    char scratch[VIEW_SCRATCH_MAX];
    return view_header(&exchange->view, name, strlen(name), scratch).base != NULL;
}

/* Leaves the text on the stack, which keeps it alive: what a hop said points into it. */
static void read_forwarded(lua_State *L, const struct exchange *exchange, struct origin *origin)
{
    size_t len;
    bool has_x = has_header(exchange, "x-forwarded-for") ||
                 has_header(exchange, "x-forwarded-proto") ||
                 has_header(exchange, "x-forwarded-host");
    origin->is_forwarded = !has_x;
    const char *text =
        request_push_header_text(L, exchange, has_x ? "x-forwarded-for" : "forwarded", &len);
    if (text == NULL) {
        origin->forwarded.count = 0;
    } else if (has_x) {
        forwarded_parse_list(&origin->forwarded, text, len);
    } else {
        forwarded_parse(&origin->forwarded, text, len);
    }
}

/* Finds out how much of what proxies say counts; without trust nothing is read. */
static void find_origin(lua_State *L, const struct exchange *exchange, struct origin *origin)
{
    struct view_ends ends;
    view_get_ends(&exchange->view, &ends);
    origin->has_peer = request_address_read(&ends.peer, &origin->peer);
    origin->forwarded.count = 0;
    origin->is_forwarded = false;
    origin->believed = 0;
    enum address_trust_kind kind = get_trust(exchange)->kind;
    if (kind == ADDRESS_TRUST_NONE || kind == ADDRESS_TRUST_UNSET) {
        return;
    }
    read_forwarded(L, exchange, origin);
    const struct address *sayer = origin->has_peer ? &origin->peer : NULL;
    for (unsigned i = 0; i < origin->forwarded.count; i++) {
        if (!is_trusted(L, exchange, sayer, i)) {
            break;
        }
        origin->believed++;
        if (!origin->forwarded.hops[i].has_address) {
            break; /* it does not say, so who stands before it is not known */
        }
        sayer = &origin->forwarded.hops[i].address;
    }
}

static const struct address *get_peer(const struct origin *origin)
{
    return origin->has_peer ? &origin->peer : NULL;
}

static void push_address(lua_State *L, const struct address *address)
{
    char text[ADDRESS_TEXT_MAX] = "unix:"; /* as nginx writes it */
    if (address != NULL) {
        address_format(address, text);
    }
    lua_pushstring(L, text);
}

/* How many of the hops have an address: the last one that is believed may hide it. */
static unsigned count_addresses(const struct origin *origin)
{
    unsigned count = origin->believed;
    return count > 0 && !origin->forwarded.hops[count - 1].has_address ? count - 1 : count;
}

void request_push_ip(lua_State *L, struct exchange *exchange)
{
    struct origin origin;
    find_origin(L, exchange, &origin);
    unsigned count = count_addresses(&origin);
    push_address(L, count > 0 ? &origin.forwarded.hops[count - 1].address : get_peer(&origin));
}

void request_push_ips(lua_State *L, struct exchange *exchange)
{
    struct origin origin;
    find_origin(L, exchange, &origin);
    unsigned count = count_addresses(&origin);
    lua_createtable(L, (int)count, 0);
    for (unsigned i = count; i > 0; i--) {
        push_address(L, &origin.forwarded.hops[i - 1].address);
        lua_rawseti(L, -2, (lua_Integer)(count - i) + 1);
    }
    value_push_array_mark(L);
    lua_setmetatable(L, -2);
}

/* What the hop farthest away that is believed has said, without quotes; 0: none did, or it is too long. */
static size_t copy_said(const struct origin *origin, bool is_host, char *out, size_t room)
{
    for (unsigned i = origin->believed; i > 0; i--) {
        const struct forwarded_hop *hop = &origin->forwarded.hops[i - 1];
        const struct parameter *said = is_host ? &hop->host : &hop->proto;
        if (said->name.len > 0) {
            return said->value.len <= room ? parameters_copy_value(said, out) : 0;
        }
    }
    return 0;
}

/* What a header of a proxy says: that X- header if the peer is believed, or the member of Forwarded.  Its length, 0: nothing. */
static size_t read_said(lua_State *L, const struct exchange *exchange, bool is_host, char *out,
                        size_t room)
{
    struct origin origin;
    find_origin(L, exchange, &origin);
    if (origin.is_forwarded) {
        return copy_said(&origin, is_host, out, room);
    }
    size_t len;
    const char *name = is_host ? "x-forwarded-host" : "x-forwarded-proto";
    const char *text = request_push_header_text(L, exchange, name, &len);
    if (text == NULL || len > room || !is_trusted(L, exchange, get_peer(&origin), 0)) {
        return 0;
    }
    memcpy(out, text, len);
    return len;
}

enum { SAID_MAX = 1024 };

/* No listener speaks TLS itself. */
static const char *find_protocol(lua_State *L, const struct exchange *exchange)
{
    char said[SAID_MAX];
    size_t len = read_said(L, exchange, false, said, sizeof(said));
    const char *protocol = forwarded_find_proto(said, len);
    return protocol != NULL ? protocol : "http";
}

void request_push_protocol(lua_State *L, struct exchange *exchange)
{
    lua_pushstring(L, find_protocol(L, exchange));
}

void request_push_secure(lua_State *L, struct exchange *exchange)
{
    lua_pushboolean(L, strcmp(find_protocol(L, exchange), "https") == 0);
}

/* Pushes the host as it was sent, with its port; nil without one. */
static const char *push_host(lua_State *L, const struct exchange *exchange, size_t *ret_len)
{
    char said[SAID_MAX];
    char host[FORWARDED_HOST_MAX];
    size_t len = read_said(L, exchange, true, said, sizeof(said));
    len = len > 0 ? forwarded_find_host(said, len, host) : 0;
    if (len > 0) {
        *ret_len = len;
        return lua_pushlstring(L, host, len);
    }
    return request_push_header_text(L, exchange, "host", ret_len);
}

void request_push_host(lua_State *L, struct exchange *exchange)
{
    size_t len;
    const char *host = push_host(L, exchange, &len);
    if (host != NULL && len == 0) {
        lua_pushnil(L);
    }
}

/* Pushes the host without its port; nil without one. */
static const char *push_hostname(lua_State *L, const struct exchange *exchange, size_t *ret_len)
{
    const char *host = push_host(L, exchange, ret_len);
    if (host == NULL || *ret_len == 0) {
        lua_pushnil(L);
        return NULL;
    }
    const char *bracket = host[0] == '[' ? memchr(host, ']', *ret_len) : NULL;
    const char *from = bracket != NULL ? bracket : host;
    const char *colon = memchr(from, ':', *ret_len - (size_t)(from - host));
    if (colon != NULL) {
        *ret_len = (size_t)(colon - host);
    }
    return lua_pushlstring(L, host, *ret_len);
}

void request_push_hostname(lua_State *L, struct exchange *exchange)
{
    size_t len;
    (void)push_hostname(L, exchange, &len);
}

/* The parts of a name before the last ones, the nearest first. */
void request_push_subdomains(lua_State *L, struct exchange *exchange)
{
    size_t len;
    struct address address;
    uint64_t offset = exchange_settings(exchange)->subdomain_offset;
    const char *name = push_hostname(L, exchange, &len);
    lua_newtable(L);
    bool is_address = name != NULL && (name[0] == '[' || address_parse(name, len, &address) == 0);
    lua_Integer count = 0;
    const char *end = name != NULL ? name + len : NULL;
    for (uint64_t i = 0; name != NULL; i++) {
        const char *point =
            is_address || end == name ? NULL : memrchr(name, '.', (size_t)(end - name));
        const char *start = point != NULL ? point + 1 : name;
        if (i >= offset) {
            lua_pushlstring(L, start, (size_t)(end - start));
            lua_rawseti(L, -2, ++count);
        }
        if (point == NULL) {
            break;
        }
        end = point;
    }
    value_push_array_mark(L);
    lua_setmetatable(L, -2);
}

static void push_end(lua_State *L, const struct sockaddr_storage *end)
{
    struct address address;
    lua_createtable(L, 0, 3);
    if (!request_address_read(end, &address)) {
        lua_pushliteral(L, "unix");
        lua_setfield(L, -2, "family");
        return;
    }
    bool is_inet6 = end->ss_family == AF_INET6;
    const struct sockaddr_in *in = (const void *)end;
    const struct sockaddr_in6 *in6 = (const void *)end;
    push_address(L, &address);
    lua_setfield(L, -2, "host");
    lua_pushinteger(L, ntohs(is_inet6 ? in6->sin6_port : in->sin_port));
    lua_setfield(L, -2, "port");
    lua_pushstring(L, is_inet6 ? "inet6" : "inet");
    lua_setfield(L, -2, "family");
}

void request_push_conn(lua_State *L, struct exchange *exchange)
{
    struct view_ends ends;
    view_get_ends(&exchange->view, &ends);
    lua_createtable(L, 0, 2);
    push_end(L, &ends.peer);
    lua_setfield(L, -2, "peer");
    push_end(L, &ends.local);
    lua_setfield(L, -2, "local_addr");
}
