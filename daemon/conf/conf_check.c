/*
 * conf_check.c - the checks between the parts of a configuration.
 *
 * Owns the rules that need more than one key or a look at the system: application files are there,
 * no address and no listener is used twice, something would run at all.  It works on struct conf
 * and looks into the tree only for the place to point at; values that failed to bind are zero or
 * NULL here and are passed over, since they were reported.
 *
 * Called by conf.c, conf_run.c and conf_extra.c as the last step.  Must not open sockets: whether an address is
 * free is the listener's business.
 */
#include "daemon/conf/conf_check.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/err.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/conf_check_tree.h"
#include "daemon/conf/conf_place.h"
#include "daemon/conf/file.h"
#include "daemon/conf/problem.h"
#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"

/* "" when nothing was written, as on the command line; else "apps.shop.path: ". */
static void format_label(const struct yaml_node *root, const char *section, const char *name,
                         const char *key, char label[FSD_ERR_MAX])
{
    label[0] = '\0';
    if (root != NULL) {
        (void)snprintf(label, FSD_ERR_MAX, "%s.%s.%s: ", section, name, key);
    }
}

static void check_app(struct conf_app *app, const struct yaml_node *root, struct problem_list *list)
{
    struct fsd_err reason;
    char label[FSD_ERR_MAX];

    if (app->path == NULL) {
        return;
    }
    const struct problem_place *place = conf_place_find(root, "apps", app->name, "path");
    if (file_is_folder(app->path)) {
        char *main_file = NULL;
        if (asprintf(&main_file, "%s/app.lua", app->path) < 0) {
            (void)problem_add(list, PROBLEM_ERROR, place, "%s", strerror(ENOMEM));
            return;
        }
        free(app->path);
        app->path = main_file;
    }
    format_label(root, "apps", app->name, "path", label);
    if (file_check_readable(app->path, &reason) < 0) {
        (void)problem_add(list, PROBLEM_ERROR, place, "%scannot read \"%s\": %s", label, app->path,
                          reason.text);
    }
}

/* Port 0 means another port for each. */
static bool is_same_address(const struct parse_address *a, const struct parse_address *b)
{
    /* IPv4 and IPv6 have the port at the same place; a path has no zero there. */
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a->storage;

    if (a->len == 0 || a->len != b->len || memcmp(&a->storage, &b->storage, a->len) != 0) {
        return false;
    }
    return a->storage.ss_family == AF_UNIX || in->sin_port != 0;
}

static void check_address(const struct conf *conf, size_t index, const struct yaml_node *root,
                          struct problem_list *list)
{
    const struct conf_listener *listener = &conf->listeners[index];
    char address[PARSE_ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < index; i++) {
        const struct conf_listener *other = &conf->listeners[i];
        if (!is_same_address(&listener->address, &other->address)) {
            continue;
        }
        parse_address_format(&listener->address, address);
        (void)problem_add(list, PROBLEM_ERROR,
                          conf_place_find(root, "listeners", listener->name, "listen"),
                          "listeners.%s.listen: \"%s\" is the address of listeners.%s already, "
                          "at %s:%u:%u",
                          listener->name, address, other->name, other->place.file,
                          other->place.line, other->place.column);
        return;
    }
}

static const struct conf_pool *find_owner(const struct conf *conf, size_t pool_count,
                                          size_t listener)
{
    for (size_t i = 0; i < pool_count; i++) {
        for (size_t j = 0; j < conf->pools[i].listener_count; j++) {
            if (conf->pools[i].listeners[j] == listener) {
                return &conf->pools[i];
            }
        }
    }
    return NULL;
}

static void check_pool(const struct conf *conf, size_t index, const struct yaml_node *root,
                       struct problem_list *list)
{
    const struct conf_pool *pool = &conf->pools[index];

    for (size_t i = 0; i < pool->listener_count; i++) {
        const struct conf_pool *owner = find_owner(conf, index, pool->listeners[i]);
        if (owner == NULL) {
            continue;
        }
        const char *name = conf->listeners[pool->listeners[i]].name;
        (void)problem_add(
            list, PROBLEM_ERROR, conf_place_find_item(root, "pools", pool->name, "listeners", name),
            "pools.%s: the listener \"%s\" belongs to pools.%s already, at %s:%u:%u", pool->name,
            name, owner->name, owner->place.file, owner->place.line, owner->place.column);
    }
}

static void check_control(const struct conf *conf, const struct yaml_node *root,
                          struct problem_list *list)
{
    const struct yaml_node *value = yaml_find(yaml_find(root, "control"), "path");
    const struct problem_place *place = value == NULL ? NULL : &value->place;
    const char *path = conf->control_path;

    if (path == NULL) {
        return;
    }
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        (void)problem_add(list, PROBLEM_ERROR, place,
                          "control.path: \"%s\" is too long for a socket: %zu bytes, at most %zu",
                          path, strlen(path), sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
    }
    for (size_t i = 0; i < conf->listener_count; i++) {
        const struct sockaddr_un *un =
            (const struct sockaddr_un *)&conf->listeners[i].address.storage;
        if (un->sun_family == AF_UNIX && strcmp(un->sun_path, path) == 0) {
            (void)problem_add(list, PROBLEM_ERROR, place,
                              "control.path: \"%s\" is the address of listeners.%s", path,
                              conf->listeners[i].name);
        }
    }
}

static void check_account(const char *key, bool is_known, const char *name,
                          const struct yaml_node *root, struct problem_list *list)
{
    const struct yaml_node *value = yaml_find(root, key);

    if (!is_known) {
        (void)problem_add(list, PROBLEM_ERROR, value == NULL ? NULL : &value->place,
                          "%s: there is no %s \"%s\"", key, key,
                          value != NULL && value->is_expanded ? "(from a reference)" : name);
    }
}

static void check_accounts(const struct conf *conf, const struct yaml_node *root,
                           struct problem_list *list)
{
    if (conf->user != NULL) {
        check_account("user", getpwnam(conf->user) != NULL, conf->user, root, list);
    }
    if (conf->group != NULL && conf->user == NULL) {
        const struct yaml_node *value = yaml_find(root, "group");
        (void)problem_add(list, PROBLEM_ERROR, value == NULL ? NULL : &value->place,
                          "group: needs the key \"user\" as well");
    }
    if (conf->group != NULL) {
        check_account("group", getgrnam(conf->group) != NULL, conf->group, root, list);
    }
}

static void check_shared(const struct conf *conf, const struct yaml_node *root,
                         struct problem_list *list)
{
    if (conf->shared_count > CONF_SHARED_MAX) {
        (void)problem_add(list, PROBLEM_ERROR,
                          conf_place_find(root, "shared", conf->shared[CONF_SHARED_MAX].name, ""),
                          "shared has more than %d dictionaries", CONF_SHARED_MAX);
    }
}

/* Only when all else is right: a mistyped name would make its target look unused. */
static void warn_unused(const struct conf *conf, const struct yaml_node *root,
                        struct problem_list *list)
{
    for (size_t i = 0; i < conf->listener_count; i++) {
        if (find_owner(conf, conf->pool_count, i) == NULL) {
            const char *name = conf->listeners[i].name;
            (void)problem_add(list, PROBLEM_WARNING, conf_place_find(root, "listeners", name, ""),
                              "listeners.%s is used by no pool", name);
        }
    }
    for (size_t i = 0; i < conf->app_count; i++) {
        size_t pool = 0;
        while (pool < conf->pool_count && conf->pools[pool].app != i) {
            pool++;
        }
        if (pool == conf->pool_count) {
            const char *name = conf->apps[i].name;
            (void)problem_add(list, PROBLEM_WARNING, conf_place_find(root, "apps", name, ""),
                              "apps.%s is used by no pool", name);
        }
    }
}

void conf_check(struct conf *conf, const struct yaml_node *root, struct problem_list *list)
{
    const struct yaml_node *pools = yaml_find(root, "pools");

    if (conf->pool_count == 0 && (pools == NULL || pools->child_count == 0)) {
        struct problem_place place = {root->place.source, 0, 0, 0};
        problem_hint(problem_add(list, PROBLEM_ERROR, pools == NULL ? &place : &pools->key_place,
                                 "there is no pool, so nothing would run"),
                     "write: pools: { web: { app: NAME, listeners: [NAME] } }");
    }
    for (size_t i = 0; i < conf->app_count; i++) {
        check_app(&conf->apps[i], root, list);
    }
    for (size_t i = 1; i < conf->listener_count; i++) {
        check_address(conf, i, root, list);
    }
    for (size_t i = 0; i < conf->pool_count; i++) {
        check_pool(conf, i, root, list);
    }
    check_control(conf, root, list);
    check_accounts(conf, root, list);
    check_shared(conf, root, list);
    conf_check_tree(conf, root, list);
    if (list->errors == 0) {
        warn_unused(conf, root, list);
    }
}

void conf_check_added(const struct conf *conf, size_t pool, size_t first_listener,
                      struct problem_list *list)
{
    for (size_t i = first_listener; i < conf->listener_count; i++) {
        check_address(conf, i, NULL, list);
    }
    check_pool(conf, pool, NULL, list);
    conf_check_tree(conf, NULL, list);
}
