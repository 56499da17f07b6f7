/*
 * conf_extra.c - pools that are not in the files.
 *
 * Owns the rules for them: how many there may be, and that their listeners are new ones with an
 * address that a worker could have bound itself.  The text of a worker is read as a file would be,
 * by the same rows, but for references: these would let it read what only the daemon can.  Each
 * pool keeps its text, so that it can be laid over another configuration; whatever that has goes first.
 *
 * Called when a worker starts a pool, and for every configuration that takes the place of the
 * running one.  Must not know who asked.
 */
#include "daemon/conf/conf_extra.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/conf_check.h"
#include "daemon/conf/problem.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_groups.h"
#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"

enum { PORT_MIN = 1024 };

/* What its places are in, for messages and `config show`. */
static const char file_name[] = "lua";

static const struct conf_place no_place = {file_name, 1, 1};

static bool has_pool(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->pool_count; i++) {
        if (strcmp(conf->pools[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_listener(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->listener_count; i++) {
        if (strcmp(conf->listeners[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* False: no memory, which was reported. */
static bool append_listener(struct conf *conf, const char *name, struct problem_list *list)
{
    struct conf_listener *items =
        realloc(conf->listeners, (conf->listener_count + 1) * sizeof(*items));
    char *copy = strdup(name);

    if (items != NULL) {
        conf->listeners = items;
    }
    if (items == NULL || copy == NULL) {
        free(copy);
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
        return false;
    }
    conf->listeners[conf->listener_count++] =
        (struct conf_listener){.name = copy, .is_extra = true, .place = no_place};
    return true;
}

/* The pool takes source in any case.  NULL: no memory. */
static struct conf_pool *append_pool(struct conf *conf, const char *name, struct source *source)
{
    struct conf_pool *items = realloc(conf->pools, (conf->pool_count + 1) * sizeof(*items));
    char *copy = strdup(name);

    if (items != NULL) {
        conf->pools = items;
    }
    if (items == NULL || copy == NULL || source == NULL) {
        free(copy);
        source_free(source);
        return NULL;
    }
    struct conf_pool *pool = &conf->pools[conf->pool_count++];
    *pool = (struct conf_pool){.name = copy, .source = source, .place = no_place};
    return pool;
}

/* Takes back what was added since. */
static void shorten(struct conf *conf, size_t pool_count, size_t listener_count)
{
    while (conf->pool_count > pool_count) {
        struct conf_pool *pool = &conf->pools[--conf->pool_count];
        free(pool->name);
        yaml_node_free(pool->tree);
        source_free(pool->source);
    }
    while (conf->listener_count > listener_count) {
        free(conf->listeners[--conf->listener_count].name);
    }
}

/* The daemon may be allowed to bind what its workers are not. */
static void check_address(const struct conf_listener *listener, const struct problem_place *place,
                          struct problem_list *list)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&listener->address.storage;
    in_port_t port = ntohs(in->sin_port); /* IPv6 has it at the same place */

    if (listener->address.storage.ss_family == AF_UNIX || (port != 0 && port < PORT_MIN)) {
        problem_hint(problem_add(list, PROBLEM_ERROR, place,
                                 "listeners.%s.listen: a pool that is started from Lua may have "
                                 "neither a Unix socket nor a port below %d",
                                 listener->name, PORT_MIN),
                     "write such a pool into the configuration");
    }
}

static bool make_listener(struct conf *conf, const struct yaml_node *value,
                          struct problem_list *list)
{
    size_t errors_before = list->errors;

    if (!schema_groups_is_name(value->key)) {
        (void)problem_add(list, PROBLEM_ERROR, &value->key_place,
                          "\"%s\" cannot be a name in listeners", value->key);
        return false;
    }
    if (has_listener(conf, value->key)) {
        (void)problem_add(list, PROBLEM_ERROR, &value->key_place,
                          "there is a listener \"%s\" already", value->key);
        return false;
    }
    if (!append_listener(conf, value->key, list)) {
        return false;
    }
    schema_bind_entry(conf, "listeners", conf->listener_count - 1, value, list);
    if (list->errors == errors_before) {
        check_address(&conf->listeners[conf->listener_count - 1], &value->key_place, list);
    }
    return list->errors == errors_before;
}

/* { listen: ADDRESS } with a key becomes the key as a text of its own. */
static void become_name(struct yaml_node *node)
{
    yaml_node_free(node->child);
    free(node->text);
    node->child = NULL;
    node->last = NULL;
    node->child_count = 0;
    node->kind = YAML_SCALAR;
    node->text = node->key;
    node->len = strlen(node->key);
    node->key = NULL;
    node->place = node->key_place;
}

/* Afterwards the key has the names of what was made, as in a file. */
static void make_listeners(struct conf *conf, struct yaml_node *value, struct problem_list *list)
{
    if (value == NULL || yaml_is_null(value)) {
        return;
    }
    if (value->kind != YAML_MAP) {
        problem_hint(problem_add(list, PROBLEM_ERROR, &value->key_place,
                                 "listeners must be a map of new ones"),
                     "write { NAME = { listen = \"127.0.0.1:0\" } }");
        return;
    }
    if (conf->listener_count + value->child_count > SCHEMA_GROUP_MAX) {
        (void)problem_add(list, PROBLEM_ERROR, &value->key_place,
                          "there would be more than %d listeners", SCHEMA_GROUP_MAX);
        return;
    }
    for (struct yaml_node *child = value->child; child != NULL; child = child->next) {
        if (!make_listener(conf, child, list)) {
            return;
        }
        become_name(child);
    }
    value->kind = YAML_LIST;
}

static void fill(struct conf *conf, struct conf_pool *pool, struct problem_list *list)
{
    size_t listener_count = conf->listener_count;
    size_t errors_before = list->errors;
    size_t index = conf->pool_count - 1;

    pool->tree = yaml_read(pool->source, list);
    if (pool->tree == NULL) {
        return;
    }
    pool->tree->key = strdup(pool->name);
    if (pool->tree->kind != YAML_MAP || pool->tree->key == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s",
                          pool->tree->key == NULL ? strerror(ENOMEM) : "the options must be a map");
        return;
    }
    make_listeners(conf, yaml_find(pool->tree, "listeners"), list);
    if (list->errors == errors_before) {
        schema_bind_entry(conf, "pools", index, pool->tree, list);
    }
    if (list->errors == errors_before) {
        conf_check_added(conf, index, listener_count, list);
    }
}

/* In the two forms in which it is said. */
static bool is_memory(const char *message)
{
    static const char *const ends[] = {"out of memory", "Cannot allocate memory"};
    size_t len = strlen(message);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t end_len = strlen(ends[i]);
        if (len >= end_len && strcmp(message + len - end_len, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The first error stands for all, but for one of memory: then the text was not even read. */
static int explain(const struct problem_list *list, struct fsd_err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct problem *one = &list->items[i];
        if (one->severity == PROBLEM_ERROR) {
            return fsd_err_set(err, is_memory(one->message) ? ENOMEM : EINVAL, "%s%s%s",
                               one->message, one->hint[0] == '\0' ? "" : "; ", one->hint);
        }
    }
    return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
}

static int add(struct conf *conf, const struct conf_extra *extra, struct fsd_err *err)
{
    size_t pool_count = conf->pool_count;
    size_t listener_count = conf->listener_count;
    struct problem_list list;

    if (has_pool(conf, extra->name)) {
        return fsd_err_set(err, EEXIST, "there is a pool \"%s\" already", extra->name);
    }
    if (conf->pool_count >= SCHEMA_GROUP_MAX) {
        return fsd_err_set(err, ENOSPC, "there are %d pools already", SCHEMA_GROUP_MAX);
    }
    struct conf_pool *pool =
        append_pool(conf, extra->name, source_new(file_name, extra->text, extra->len));
    if (pool == NULL) {
        return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    problem_list_init(&list);
    fill(conf, pool, &list);
    int error = list.errors > 0 ? explain(&list, err) : 0;
    problem_list_fini(&list);
    if (error < 0) {
        shorten(conf, pool_count, listener_count);
    }
    return error;
}

static unsigned count_workers(const struct conf_pool *pool, unsigned auto_count)
{
    unsigned count = pool->count == 0 ? auto_count : pool->count;
    unsigned standby = pool->standby == CONF_STANDBY_AUTO ? count > 1 : pool->standby;

    return count + standby;
}

/* Of those of the configuration that was there first. */
static int check_total(const struct conf *conf, unsigned auto_count, struct fsd_err *err)
{
    unsigned pools = 0;
    unsigned workers = 0;

    for (size_t i = 0; i < conf->pool_count; i++) {
        if (conf->pools[i].source != NULL) {
            pools++;
            workers += count_workers(&conf->pools[i], auto_count);
        }
    }
    if (pools > CONF_EXTRA_POOLS_MAX) {
        return fsd_err_set(err, ENOSPC, "%d pools were started from Lua already",
                           CONF_EXTRA_POOLS_MAX);
    }
    if (workers > CONF_EXTRA_WORKERS_MAX) {
        return fsd_err_set(err, ENOSPC,
                           "pools that are started from Lua would have %u workers, at most %d",
                           workers, CONF_EXTRA_WORKERS_MAX);
    }
    return 0;
}

int conf_extra_add(struct conf *conf, const struct conf_extra *extra, unsigned auto_count,
                   struct fsd_err *err)
{
    size_t pool_count = conf->pool_count;
    size_t listener_count = conf->listener_count;

    if (!schema_groups_is_name(extra->name)) {
        return fsd_err_set(err, EINVAL,
                           "the name of a pool has letters, digits, \"_\", \"-\" and \".\", begins "
                           "with a letter or digit, and is at most %d long",
                           SCHEMA_NAME_MAX);
    }
    if (extra->len > CONF_EXTRA_TEXT_MAX || memchr(extra->text, '\0', extra->len) != NULL) {
        return fsd_err_set(err, EINVAL, "the options are longer than %d bytes, or have a NUL byte",
                           CONF_EXTRA_TEXT_MAX);
    }
    if (extra->len == 0 || extra->text[0] != '{') {
        return fsd_err_set(err, EINVAL, "the options must be one JSON object");
    }
    int error = add(conf, extra, err);
    if (error == 0) {
        error = check_total(conf, auto_count, err);
    }
    if (error < 0) {
        shorten(conf, pool_count, listener_count);
    }
    return error;
}

int conf_extra_carry(struct conf *conf, const struct conf *from, const char *without,
                     struct problem_list *list)
{
    for (size_t i = 0; i < from->pool_count; i++) {
        const struct conf_pool *pool = &from->pools[i];
        struct fsd_err err;
        if (pool->source == NULL || (without != NULL && strcmp(pool->name, without) == 0)) {
            continue;
        }
        struct conf_extra extra = {pool->name, pool->source->text, pool->source->len};
        int error = add(conf, &extra, &err);
        if (error == -ENOMEM) {
            return error;
        }
        if (error < 0 && list != NULL) {
            (void)problem_add(list, PROBLEM_WARNING, NULL,
                              "the pool \"%s\", which was started from Lua, is left out: %s",
                              pool->name, err.text);
        }
    }
    return 0;
}
