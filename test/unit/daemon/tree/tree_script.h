#ifndef FSD_TEST_UNIT_DAEMON_TREE_TREE_SCRIPT_H
#define FSD_TEST_UNIT_DAEMON_TREE_TREE_SCRIPT_H

/* Scripts for trees: what happens to pools, and in brackets what the tree then orders.
 *
 *   setup    POOLS; SUPERVISOR STRATEGY INTENSITY/PERIOD_MS CHILDREN; CHILD>NAMED_IN_AFTER; ...
 *            pools are small letters, supervisors capital ones: "abc; S rest_for_one 1/1000 ab; c>S"
 *   script   begin, stop, deploy (the second setup)
 *            a.up a.gave_up a.down   with =no behind it: it can't be
 *            @250                    it is that time now
 *            a?held                  the state of a pool
 *            tree?up tree?down tree?between
 *            [start a; stop b; hold c] */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/conf/conf.h"
#include "daemon/tree/tree.h"

struct script_case {
    const char *rule;
    const char *setup;
    const char *script;
    const char *deployed; /* setup, or NULL */
};

enum { SCRIPT_POOLS = 8, SCRIPT_SUPERVISORS = 4, SCRIPT_WORD = 64, SCRIPT_TEXT = 512 };

struct script_conf {
    struct conf conf;
    struct conf_pool pools[SCRIPT_POOLS];
    struct conf_supervisor supervisors[SCRIPT_SUPERVISORS];
    char names[SCRIPT_POOLS + SCRIPT_SUPERVISORS][2];
};

struct script {
    const struct script_case *test;
    struct script_conf confs[2];
    struct script_conf *conf; /* the one in force */
    struct tree *tree;        /* owned */
    uint64_t now_ms;
    char orders[SCRIPT_TEXT];
};

/* cppcheck-suppress constParameterPointer */
static size_t script_find(const struct script_conf *conf, char letter)
{
    for (size_t i = 0; i < conf->conf.pool_count; i++) {
        if (conf->pools[i].name[0] == letter) {
            return i;
        }
    }
    fail_msg("there is no pool %c", letter);
    return 0;
}

static struct conf_child script_child(const struct script_conf *conf, char letter)
{
    for (size_t i = 0; i < conf->conf.supervisor_count; i++) {
        if (conf->supervisors[i].name[0] == letter) {
            return (struct conf_child){.is_supervisor = true, .index = i};
        }
    }
    return (struct conf_child){.index = script_find(conf, letter)};
}

static void script_children(const struct script_conf *conf, const char *letters,
                            struct conf_children *ret)
{
    for (; *letters != '\0'; letters++) {
        ret->items[ret->count++] = script_child(conf, *letters);
    }
}

static void script_name(struct script_conf *conf, size_t i, char letter, char **ret)
{
    conf->names[i][0] = letter;
    *ret = conf->names[i];
}

/* One part of a setup behind the pools; supervisors come before they are named. */
static void script_part(struct script_conf *conf, const char *part)
{
    char strategy[SCRIPT_WORD];
    char letters[SCRIPT_WORD];
    char name;
    unsigned intensity;
    unsigned period_ms;
    if (sscanf(part, " %c>%63s", &name, letters) == 2) {
        struct conf_child child = script_child(conf, name);
        script_children(conf, letters,
                        child.is_supervisor ? &conf->supervisors[child.index].after
                                            : &conf->pools[child.index].after);
        return;
    }
    int matched =
        sscanf(part, " %c %63s %u/%u %63s", &name, strategy, &intensity, &period_ms, letters);
    assert_int_equal(matched, 5);
    size_t index = conf->conf.supervisor_count;
    struct conf_supervisor *supervisor = &conf->supervisors[index];
    script_name(conf, SCRIPT_POOLS + index, name, &supervisor->name);
    supervisor->intensity = intensity;
    supervisor->period_ms = period_ms;
    if (strcmp(strategy, "one_for_all") == 0) {
        supervisor->strategy = SUPERVISE_ONE_FOR_ALL;
    } else if (strcmp(strategy, "rest_for_one") == 0) {
        supervisor->strategy = SUPERVISE_REST_FOR_ONE;
    }
    script_children(conf, letters, &supervisor->children);
    conf->conf.supervisor_count++;
}

static void script_configure(struct script_conf *conf, const char *setup)
{
    *conf = (struct script_conf){0};
    conf->conf.pools = conf->pools;
    conf->conf.supervisors = conf->supervisors;
    size_t len = strcspn(setup, ";");
    for (size_t i = 0; i < len; i++) {
        script_name(conf, i, setup[i], &conf->pools[i].name);
    }
    conf->conf.pool_count = len;
    while (setup[len] == ';') {
        setup += len + 1;
        len = strcspn(setup, ";");
        char part[SCRIPT_WORD];
        (void)snprintf(part, sizeof(part), "%.*s", (int)len, setup);
        script_part(conf, part);
    }
}

static void script_fail(const struct script *script, const char *at, const char *what)
{
    print_error("\"%s\"\n  in: %s\n  at: %s\n  %s\n  orders: %s\n", script->test->rule,
                script->test->script, at, what, script->orders);
    fail();
}

static void script_pull(struct script *script)
{
    static const char *const kinds[] = {"start", "stop", "hold"};
    struct tree_order order;
    while (tree_next(script->tree, script->now_ms, &order)) {
        size_t len = strlen(script->orders);
        (void)snprintf(script->orders + len, sizeof(script->orders) - len, "%s%s %s",
                       len > 0 ? "; " : "", kinds[order.kind],
                       script->conf->pools[order.pool].name);
    }
}

static void script_news(struct script *script, const char *word, const char *at)
{
    size_t pool = script_find(script->conf, word[0]);
    const char *news = word + 2;
    int result;
    if (strncmp(news, "up", 2) == 0) {
        result = tree_on_up(script->tree, pool);
    } else if (strncmp(news, "gave_up", 7) == 0) {
        result = tree_on_gave_up(script->tree, pool);
    } else {
        assert_memory_equal(news, "down", 4);
        result = tree_on_down(script->tree, pool);
    }
    if (result != (strstr(news, "=no") != NULL ? -EPROTO : 0)) {
        script_fail(script, at, result == 0 ? "that is possible" : "that can't have happened");
    }
}

static void script_state(struct script *script, const char *word, const char *at)
{
    const char *found;
    if (strncmp(word, "tree?", 5) == 0) {
        found = tree_is_up(script->tree)     ? "tree?up"
                : tree_is_down(script->tree) ? "tree?down"
                                             : "tree?between";
    } else {
        found = tree_pool_state_name(tree_state(script->tree, script_find(script->conf, word[0])));
        word += 2;
    }
    if (strcmp(found, word) != 0) {
        script_fail(script, at, found);
    }
}

static void script_step(struct script *script, const char *word, const char *at)
{
    if (strcmp(word, "begin") == 0) {
        tree_start(script->tree);
    } else if (strcmp(word, "stop") == 0) {
        tree_stop(script->tree);
    } else if (strcmp(word, "deploy") == 0) {
        script->conf = &script->confs[1];
        struct tree *next = tree_new(&script->conf->conf);
        assert_non_null(next);
        tree_rebuild(script->tree, next);
    } else if (word[0] == '@') {
        script->now_ms = strtoull(word + 1, NULL, 10);
    } else if (strchr(word, '?') != NULL) {
        script_state(script, word, at);
    } else {
        script_news(script, word, at);
    }
}

/* Steps over "[...]" and compares it with the orders. */
static const char *script_compare(struct script *script, const char *at)
{
    size_t len = strcspn(at, "]");
    script_pull(script);
    if (strlen(script->orders) != len - 1 || strncmp(script->orders, at + 1, len - 1) != 0) {
        script_fail(script, at, "other orders were given");
    }
    script->orders[0] = '\0';
    return at + len + 1;
}

static void script_set_up(struct script *script, const struct script_case *test)
{
    *script = (struct script){.test = test};
    script_configure(&script->confs[0], test->setup);
    if (test->deployed != NULL) {
        script_configure(&script->confs[1], test->deployed);
    }
    script->conf = &script->confs[0];
    script->tree = tree_new(&script->conf->conf);
    assert_non_null(script->tree);
}

static void script_go(struct script *script, const char *at)
{
    at += strspn(at, " ");
    while (*at != '\0') {
        if (*at == '[') {
            at = script_compare(script, at);
        } else {
            size_t len = strcspn(at, " ");
            char word[SCRIPT_WORD];
            (void)snprintf(word, sizeof(word), "%.*s", (int)len, at);
            script_step(script, word, at);
            at += len;
        }
        at += strspn(at, " ");
    }
    script_pull(script);
    if (script->orders[0] != '\0') {
        script_fail(script, at, "there are more orders");
    }
}

#endif
