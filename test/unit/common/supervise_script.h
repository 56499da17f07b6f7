#ifndef FSD_TEST_UNIT_COMMON_SUPERVISE_SCRIPT_H
#define FSD_TEST_UNIT_COMMON_SUPERVISE_SCRIPT_H

/* Scripts for supervisors: what happens, and in brackets what the supervisor then orders.
 *
 *   setup    STRATEGY INTENSITY/PERIOD_MS [any_significant|all_significant|simple] : CHILD CHILD ...
 *            CHILD is a letter and, after a colon, what differs from a permanent worker with 5000 ms:
 *            transient temporary significant supervisor kill infinity, or milliseconds
 *   script   begin stop            the whole supervisor; `run` begins and answers `up` to every start
 *            a.up a.delayed a.ignored a.failed a.normal a.shutdown a.crash a.replaced
 *            @250                  it is that time now
 *            new.d:transient terminate.a restart.a delete.a     requests; `=running` behind one: the answer
 *            include.d:transient change.a:transient recover.a last.a     those of a change of code
 *            a?idle                the state of a child
 *            1/3/2                 the counts: running, workers, supervisors
 *            [start a; stop b 5000; kill b; retry a; forget c; ready; end intensity]
 * The supervisor is asked for its orders at a bracket and at the end; several things may happen before that. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/supervise.h"

struct script_case {
    const char *rule;
    const char *setup;
    const char *script;
};

enum { SCRIPT_CHILDREN = 26, SCRIPT_TIMES = 8, SCRIPT_WORD = 128, SCRIPT_TEXT = 512 };

struct script {
    const struct script_case *test;
    struct supervise supervise;
    struct supervise_child children[SCRIPT_CHILDREN];
    uint64_t times[SCRIPT_TIMES];
    uint64_t now_ms;
    char orders[SCRIPT_TEXT]; /* those that no bracket has compared yet */
};

static void script_fail(const struct script *script, const char *at, const char *what)
{
    print_error("\"%s\"\n  in: %s\n  at: %s\n  %s\n  orders: %s\n", script->test->rule,
                script->test->script, at, what, script->orders);
    fail();
}

static bool script_has(const char *text, const char *word)
{
    return strstr(text, word) != NULL;
}

static struct supervise_spec script_spec(const char *text)
{
    struct supervise_spec spec = {.shutdown_ms = 5000};
    if (script_has(text, "transient")) {
        spec.restart = SUPERVISE_TRANSIENT;
    } else if (script_has(text, "temporary")) {
        spec.restart = SUPERVISE_TEMPORARY;
    }
    spec.is_significant = script_has(text, "significant");
    spec.is_supervisor = script_has(text, "supervisor");
    const char *digits = strpbrk(text, "0123456789");
    if (digits != NULL) {
        spec.shutdown_ms = (uint32_t)strtoul(digits, NULL, 10);
    } else if (script_has(text, "kill")) {
        spec.shutdown_ms = SUPERVISE_BRUTAL_KILL;
    } else if (script_has(text, "infinity")) {
        spec.shutdown_ms = SUPERVISE_INFINITY;
    }
    return spec;
}

/* Copies the word at *text, which ends at a space, and steps over it. */
static void script_word(const char **text, char word[SCRIPT_WORD])
{
    *text += strspn(*text, " ");
    size_t len = strcspn(*text, " ");
    assert_true(len < SCRIPT_WORD);
    memcpy(word, *text, len);
    word[len] = '\0';
    *text += len;
    *text += strspn(*text, " ");
}

static void script_set_up(struct script *script, const struct script_case *test)
{
    *script = (struct script){.test = test};
    struct supervise_flags flags = {0};
    const char *children = strchr(test->setup, ':');
    assert_non_null(children);
    char head[SCRIPT_WORD];
    (void)snprintf(head, sizeof(head), "%.*s", (int)(children - test->setup), test->setup);
    if (script_has(head, "one_for_all")) {
        flags.strategy = SUPERVISE_ONE_FOR_ALL;
    } else if (script_has(head, "rest_for_one")) {
        flags.strategy = SUPERVISE_REST_FOR_ONE;
    }
    flags.is_simple = script_has(head, "simple");
    if (script_has(head, "any_significant")) {
        flags.auto_shutdown = SUPERVISE_ANY_SIGNIFICANT;
    } else if (script_has(head, "all_significant")) {
        flags.auto_shutdown = SUPERVISE_ALL_SIGNIFICANT;
    }
    int matched = sscanf(strpbrk(head, "0123456789"), "%u/%u", &flags.intensity, &flags.period_ms);
    assert_int_equal(matched, 2);
    assert_true(flags.intensity <= SCRIPT_TIMES);
    supervise_init(&script->supervise, &flags, script->children, SCRIPT_CHILDREN, script->times);
    const char *at = children + 1;
    at += strspn(at, " ");
    while (*at != '\0') {
        char word[SCRIPT_WORD];
        script_word(&at, word);
        struct supervise_spec spec = script_spec(word + 1);
        assert_int_equal(supervise_add(&script->supervise, (uint32_t)(word[0] - 'a'), &spec), 0);
    }
}

static void script_describe(const struct supervise_action *action, char *text, size_t size)
{
    static const char *const ends[] = {"told", "start_failed", "intensity", "auto_shutdown"};
    char name = (char)('a' + action->id % SCRIPT_CHILDREN);
    switch (action->kind) {
    case SUPERVISE_DO_START:
        (void)snprintf(text, size, "start %c", name);
        break;
    case SUPERVISE_DO_STOP:
        if (action->shutdown_ms == SUPERVISE_INFINITY) {
            (void)snprintf(text, size, "stop %c infinity", name);
        } else {
            (void)snprintf(text, size, "stop %c %u", name, action->shutdown_ms);
        }
        break;
    case SUPERVISE_DO_KILL:
        (void)snprintf(text, size, "kill %c", name);
        break;
    case SUPERVISE_DO_RETRY:
        (void)snprintf(text, size, "retry %c", name);
        break;
    case SUPERVISE_DO_FORGET:
        (void)snprintf(text, size, "forget %c", name);
        break;
    case SUPERVISE_DO_READY:
        (void)snprintf(text, size, "ready");
        break;
    case SUPERVISE_DO_END:
        (void)snprintf(text, size, "end %s", ends[action->end]);
        break;
    }
}

/* Collects what the supervisor orders; after RETRY it is left alone, so that requests may come first. */
static void script_pull(struct script *script)
{
    struct supervise_action action;
    while (supervise_next(&script->supervise, script->now_ms, &action)) {
        size_t len = strlen(script->orders);
        char text[64];
        script_describe(&action, text, sizeof(text));
        (void)snprintf(script->orders + len, sizeof(script->orders) - len, "%s%s",
                       len > 0 ? "; " : "", text);
        if (action.kind == SUPERVISE_DO_RETRY) {
            break;
        }
    }
}

static void script_run(struct script *script)
{
    supervise_start(&script->supervise);
    struct supervise_action action;
    while (supervise_next(&script->supervise, script->now_ms, &action)) {
        if (action.kind == SUPERVISE_DO_START) {
            assert_int_equal(supervise_on_started(&script->supervise, action.id), 0);
        } else {
            assert_int_equal(action.kind, SUPERVISE_DO_READY);
        }
    }
    assert_true(supervise_is_idle(&script->supervise));
}

static const char *script_answer(int result)
{
    switch (result) {
    case 0:
        return "ok";
    case -ENOENT:
        return "not_found";
    case -EALREADY:
        return "running";
    case -EINPROGRESS:
        return "restarting";
    case -EEXIST:
        return "already_present";
    case -EAGAIN:
        return "later";
    case -ESHUTDOWN:
        return "ending";
    case -EINVAL:
        return "invalid";
    case -ERANGE:
        return "no_room";
    case -EOPNOTSUPP:
        return "simple";
    default:
        return "unknown";
    }
}

static int script_change(struct supervise *supervise, const char *request, uint32_t id,
                         const char *child)
{
    struct supervise_spec spec = script_spec(child + 1);
    if (strcmp(request, "include") == 0) {
        return supervise_include_child(supervise, id, &spec);
    }
    if (strcmp(request, "change") == 0) {
        return supervise_change_child(supervise, id, &spec);
    }
    if (strcmp(request, "recover") == 0) {
        return supervise_recover_child(supervise, id);
    }
    assert_string_equal(request, "last");
    return supervise_put_last(supervise, id);
}

static int script_ask(struct script *script, const char *request, const char *child)
{
    struct supervise *supervise = &script->supervise;
    uint32_t id = (uint32_t)(child[0] - 'a');
    if (child[0] == '#') {
        id = SCRIPT_CHILDREN; /* beyond the array */
    }
    if (strcmp(request, "new") == 0) {
        struct supervise_spec spec = script_spec(child + 1);
        return supervise_start_child(supervise, id, &spec);
    }
    if (strcmp(request, "terminate") == 0) {
        return supervise_terminate_child(supervise, id);
    }
    if (strcmp(request, "restart") == 0) {
        return supervise_restart_child(supervise, id);
    }
    if (strcmp(request, "delete") == 0) {
        return supervise_delete_child(supervise, id);
    }
    return script_change(supervise, request, id, child);
}

static int script_tell(struct script *script, uint32_t id, const char *news)
{
    struct supervise *supervise = &script->supervise;
    if (strcmp(news, "up") == 0) {
        return supervise_on_started(supervise, id);
    }
    if (strcmp(news, "delayed") == 0) {
        return supervise_on_delayed(supervise, id);
    }
    if (strcmp(news, "ignored") == 0) {
        return supervise_on_ignored(supervise, id);
    }
    if (strcmp(news, "failed") == 0) {
        return supervise_on_failed(supervise, id);
    }
    if (strcmp(news, "normal") == 0) {
        return supervise_on_exited(supervise, id, SUPERVISE_NORMAL);
    }
    if (strcmp(news, "shutdown") == 0) {
        return supervise_on_exited(supervise, id, SUPERVISE_SHUTDOWN);
    }
    if (strcmp(news, "replaced") == 0) {
        return supervise_on_exited(supervise, id, SUPERVISE_REPLACED);
    }
    assert_string_equal(news, "crash");
    return supervise_on_exited(supervise, id, SUPERVISE_ABNORMAL);
}

/* "a.crash", or "terminate.a=running". */
static void script_dotted(struct script *script, char *word, const char *at)
{
    char *behind = strchr(word, '.');
    *behind++ = '\0';
    if (word[1] == '\0') {
        if (script_tell(script, (uint32_t)(word[0] - 'a'), behind) < 0) {
            script_fail(script, at, "that can't have happened");
        }
        return;
    }
    char *expected = strchr(behind, '=');
    if (expected != NULL) {
        *expected++ = '\0';
    }
    const char *answer = script_answer(script_ask(script, word, behind));
    if (strcmp(answer, expected != NULL ? expected : "ok") != 0) {
        script_fail(script, at, answer);
    }
}

static void script_counts(struct script *script, const char *word, const char *at)
{
    struct supervise_counts counts = supervise_count(&script->supervise);
    char found[SCRIPT_WORD];
    (void)snprintf(found, sizeof(found), "%u/%u/%u", counts.active, counts.workers,
                   counts.supervisors);
    if (strcmp(found, word) != 0 || counts.specs != counts.workers + counts.supervisors) {
        script_fail(script, at, found);
    }
}

static void script_step(struct script *script, char *word, const char *at)
{
    if (strcmp(word, "run") == 0) {
        script_run(script);
    } else if (strcmp(word, "begin") == 0) {
        supervise_start(&script->supervise);
    } else if (strcmp(word, "stop") == 0) {
        supervise_stop(&script->supervise);
    } else if (word[0] == '@') {
        script->now_ms = strtoull(word + 1, NULL, 10);
    } else if (strchr(word, '.') != NULL) {
        script_dotted(script, word, at);
    } else if (strchr(word, '?') != NULL) {
        uint32_t id = (uint32_t)(word[0] - 'a');
        const char *name = supervise_child_state_name(supervise_state(&script->supervise, id));
        if (strcmp(name, word + 2) != 0) {
            script_fail(script, at, name);
        }
    } else {
        script_counts(script, word, at);
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
    at += len + 1;
    return at + strspn(at, " ");
}

static void script_play(void **state)
{
    const struct script_case *test = *state;
    struct script script;
    script_set_up(&script, test);
    const char *at = test->script;
    while (*at != '\0') {
        const char *begin = at;
        if (*at == '[') {
            at = script_compare(&script, at);
            continue;
        }
        char word[SCRIPT_WORD];
        script_word(&at, word);
        script_step(&script, word, begin);
    }
    script_pull(&script);
    if (script.orders[0] != '\0') {
        script_fail(&script, at, "there are more orders");
    }
}

#endif
