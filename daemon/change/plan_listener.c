/* plan_listener.c - which listening sockets stay, and which listeners of a pool are others than before.
 * Owns the rule of what is the same socket: the same address, whatever its name and its pool are now.  A listener whose port the
 * kernel chooses (port 0) is known by its name instead, because its address says nothing.
 * Called by plan.c, and by the deploy to find the sockets to keep.  Pure.  Must not know how sockets are opened. */
#include "daemon/change/plan_listener.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "common/parse.h"
#include "daemon/conf/conf.h"

static bool is_port_chosen(const struct parse_address *address)
{
    /* IPv4 and IPv6 have the port at the same place. */
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
    return address->storage.ss_family != AF_UNIX && in->sin_port == 0;
}

static bool is_same_socket(const struct conf_listener *a, const struct conf_listener *b)
{
    char address_a[PARSE_ADDRESS_TEXT_MAX];
    char address_b[PARSE_ADDRESS_TEXT_MAX];
    parse_address_format(&a->address, address_a);
    parse_address_format(&b->address, address_b);
    return strcmp(address_a, address_b) == 0 &&
           (!is_port_chosen(&a->address) || strcmp(a->name, b->name) == 0);
}

static size_t find_same(const struct conf *conf, const struct conf_listener *listener)
{
    for (size_t i = 0; i < conf->listener_count; i++) {
        if (is_same_socket(&conf->listeners[i], listener)) {
            return i;
        }
    }
    return SIZE_MAX;
}

size_t plan_listener_find(const struct conf *from, const struct conf *to, size_t to_listener)
{
    return find_same(from, &to->listeners[to_listener]);
}

static bool has_listener(const struct conf_pool *pool, size_t listener)
{
    for (size_t i = 0; i < pool->listener_count; i++) {
        if (pool->listeners[i] == listener) {
            return true;
        }
    }
    return false;
}

/* The name of the pool that has it; "" when no pool has. */
static const char *find_owner(const struct conf *conf, size_t listener)
{
    for (size_t i = 0; i < conf->pool_count; i++) {
        if (has_listener(&conf->pools[i], listener)) {
            return conf->pools[i].name;
        }
    }
    return "";
}

static void add_move(struct plan_text *text, const char *from, const char *to)
{
    if (to[0] == '\0') {
        plan_text_add(text, "leaves pool %s", from);
    } else if (from[0] == '\0') {
        plan_text_add(text, "goes to pool %s", to);
    } else {
        plan_text_add(text, "moves from pool %s to pool %s", from, to);
    }
}

static const struct conf_listener *find_named(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->listener_count; i++) {
        if (strcmp(conf->listeners[i].name, name) == 0) {
            return &conf->listeners[i];
        }
    }
    return NULL;
}

enum plan_listener_fate plan_listener_get_fate(const struct conf *from, const struct conf *to,
                                               size_t listener, struct plan_text *text)
{
    const struct conf_listener *now = &to->listeners[listener];
    char address[PARSE_ADDRESS_TEXT_MAX];
    char old_address[PARSE_ADDRESS_TEXT_MAX];
    size_t index = find_same(from, now);
    parse_address_format(&now->address, address);
    if (index == SIZE_MAX) {
        const struct conf_listener *before = find_named(from, now->name);
        plan_text_add(text, "%s", address);
        if (before != NULL) {
            parse_address_format(&before->address, old_address);
            plan_text_add(text, "was %s", old_address);
        }
        return PLAN_LISTENER_OPENED;
    }
    const char *old_name = from->listeners[index].name;
    const char *old_pool = find_owner(from, index);
    const char *new_pool = find_owner(to, listener);
    if (strcmp(old_name, now->name) == 0 && strcmp(old_pool, new_pool) == 0) {
        return PLAN_LISTENER_SAME;
    }
    plan_text_add(text, "the socket of %s is kept", address);
    if (strcmp(old_name, now->name) != 0) {
        plan_text_add(text, "was called %s", old_name);
    }
    if (strcmp(old_pool, new_pool) != 0) {
        add_move(text, old_pool, new_pool);
    }
    return PLAN_LISTENER_KEPT;
}

bool plan_listener_is_closed(const struct conf *from, const struct conf *to, size_t listener,
                             struct plan_text *text)
{
    char address[PARSE_ADDRESS_TEXT_MAX];
    if (find_same(to, &from->listeners[listener]) != SIZE_MAX) {
        return false;
    }
    parse_address_format(&from->listeners[listener].address, address);
    plan_text_add(text, "%s", address);
    return true;
}

/* Adds the listeners of a pool that its other version has not, or has with another address or name. */
static void add_missing(const struct conf *conf, const struct conf_pool *pool,
                        const struct conf *other, const struct conf_pool *other_pool,
                        struct plan_text *text)
{
    for (size_t i = 0; i < pool->listener_count; i++) {
        const struct conf_listener *listener = &conf->listeners[pool->listeners[i]];
        size_t index = find_same(other, listener);
        bool is_same = index != SIZE_MAX && has_listener(other_pool, index) &&
                       strcmp(other->listeners[index].name, listener->name) == 0;
        if (!is_same) {
            plan_text_add(text, "%s", listener->name);
        }
    }
}

void plan_listener_compare(const struct conf *from, const struct conf_pool *old,
                           const struct conf *to, const struct conf_pool *new_pool,
                           struct plan_text *text)
{
    struct plan_text gone = {.len = 0};
    struct plan_text come = {.len = 0};
    add_missing(from, old, to, new_pool, &gone);
    add_missing(to, new_pool, from, old, &come);
    if (gone.len > 0 && strcmp(gone.text, come.text) == 0) {
        plan_text_add(text, "new address of listeners: %s", come.text);
        return;
    }
    if (come.len > 0) {
        plan_text_add(text, "new listeners: %s", come.text);
    }
    if (gone.len > 0) {
        plan_text_add(text, "without listeners: %s", gone.text);
    }
}
