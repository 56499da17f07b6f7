#include "daemon/proc/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORKERS = 20 };

static struct claims claims;
static struct claimant workers[WORKERS];
static char news[512]; /* what on_holder was called with since it was last looked at */

static void on_holder(struct claims *all, const struct claim *claim, bool is_holder)
{
    (void)all;
    size_t len = strlen(news);
    (void)snprintf(news + len, sizeof(news) - len, "%s: %s%d.%d\n", claim->name->text,
                   is_holder ? "" : "not ", (int)claim->claimant->incarnation,
                   (int)claim->actor.serial);
}

static int set_up(void **state)
{
    (void)state;
    claims = (struct claims){.on_holder = on_holder};
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct claimant){.incarnation = i};
    }
    news[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        claims_leave(&claims, &workers[i]);
        assert_int_equal(workers[i].count, 0);
        assert_int_equal(workers[i].kept, 0);
    }
    assert_int_equal(claims.names, 0);
    assert_int_equal(claims.count, 0);
    assert_int_equal(claims.vacant, 0);
    return 0;
}

static void expect_news(const char *wanted)
{
    assert_string_equal(news, wanted);
    news[0] = '\0';
}

static enum claims_answer add(int worker, const char *name, unsigned serial, bool waits)
{
    struct claim_actor actor = {.serial = serial, .index = serial, .waits = waits};
    return claims_add(&claims, &workers[worker], name, &actor);
}

static bool give_back(int worker, const char *name, unsigned serial)
{
    struct claim_actor actor = {.serial = serial, .index = serial};
    return claims_remove(&claims, &workers[worker], name, &actor);
}

static void the_first_who_claims_a_name_has_it_until_it_gives_it_back(void **state)
{
    (void)state;
    assert_int_equal(add(1, "x", 11, false), CLAIMS_GIVEN);
    expect_news("x: 1.11\n");
    assert_int_equal(add(2, "x", 21, false), CLAIMS_EXISTS);
    assert_int_equal(add(1, "x", 12, false), CLAIMS_EXISTS);
    assert_int_equal(add(2, "y", 21, false), CLAIMS_GIVEN);
    expect_news("y: 2.21\n");
    assert_true(give_back(1, "x", 11));
    expect_news("x: not 1.11\n");
    assert_int_equal(add(2, "x", 22, false), CLAIMS_GIVEN);
    expect_news("x: 2.22\n");
}

static void only_who_has_a_name_can_give_it_back(void **state)
{
    (void)state;
    assert_int_equal(add(1, "x", 11, false), CLAIMS_GIVEN);
    expect_news("x: 1.11\n");
    assert_false(give_back(2, "x", 11));
    assert_false(give_back(1, "x", 12));
    assert_false(give_back(1, "y", 11));
    struct claim_actor other_place = {.serial = 11, .index = 12};
    assert_false(claims_remove(&claims, &workers[1], "x", &other_place));
    expect_news("");
    assert_int_equal(add(2, "x", 21, false), CLAIMS_EXISTS);
}

static void who_waits_gets_the_name_in_the_same_step_in_which_it_is_given_back(void **state)
{
    (void)state;
    assert_int_equal(add(1, "x", 11, false), CLAIMS_GIVEN);
    assert_int_equal(add(2, "x", 21, true), CLAIMS_WAITS);
    assert_int_equal(add(3, "x", 31, true), CLAIMS_WAITS);
    expect_news("x: 1.11\n");
    assert_true(give_back(1, "x", 11));
    expect_news("x: 2.21\n");
    assert_true(give_back(3, "x", 31));
    expect_news("");
    assert_true(give_back(2, "x", 21));
    expect_news("x: not 2.21\n");
}

static void a_worker_waits_for_a_name_once(void **state)
{
    (void)state;
    assert_int_equal(add(1, "x", 11, true), CLAIMS_GIVEN);
    assert_int_equal(add(1, "x", 12, true), CLAIMS_WAITS);
    assert_int_equal(add(1, "x", 13, true), CLAIMS_EXISTS);
    assert_int_equal(add(2, "x", 21, true), CLAIMS_WAITS);
    assert_int_equal(add(2, "x", 22, true), CLAIMS_EXISTS);
}

static void names_that_are_waited_for_spread_over_the_workers(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(add(0, names[i], 1, true), CLAIMS_GIVEN);
        for (int w = 1; w < 4; w++) {
            assert_int_equal(add(w, names[i], 1, true), CLAIMS_WAITS);
        }
    }
    assert_int_equal(add(1, "mine", 1, false), CLAIMS_GIVEN); /* does not count */
    claims_leave(&claims, &workers[0]);
    for (int w = 1; w < 4; w++) {
        assert_int_equal(workers[w].kept, 2);
    }
    claims_leave(&claims, &workers[1]);
    assert_int_equal(workers[2].kept, 3);
    assert_int_equal(workers[3].kept, 3);
}

static void among_equals_the_oldest_gets_it(void **state)
{
    (void)state;
    assert_int_equal(add(1, "x", 1, true), CLAIMS_GIVEN);
    assert_int_equal(add(3, "other", 1, true), CLAIMS_GIVEN);
    assert_int_equal(add(3, "x", 1, true), CLAIMS_WAITS);
    assert_int_equal(add(4, "x", 1, true), CLAIMS_WAITS);
    assert_int_equal(add(2, "x", 1, true), CLAIMS_WAITS);
    news[0] = '\0';
    claims_leave(&claims, &workers[1]);
    expect_news("x: 4.1\n");
}

static void who_is_passed_over_waits_until_that_is_over(void **state)
{
    (void)state;
    workers[1].is_passed_over = true;
    workers[2].is_passed_over = true;
    assert_int_equal(add(1, "x", 11, true), CLAIMS_WAITS);
    assert_int_equal(add(1, "y", 12, true), CLAIMS_WAITS);
    assert_int_equal(add(2, "x", 21, true), CLAIMS_WAITS);
    assert_int_equal(add(2, "y", 22, true), CLAIMS_WAITS);
    assert_int_equal(add(1, "now", 13, false), CLAIMS_GIVEN); /* for who does not wait it is free */
    claims_settle(&claims);
    expect_news("now: 1.13\n");
    assert_int_equal(claims.vacant, 2);
    workers[1].is_passed_over = false;
    workers[2].is_passed_over = false;
    claims_settle(&claims);
    assert_int_equal(claims.vacant, 0);
    assert_int_equal(workers[1].kept, 1);
    assert_int_equal(workers[2].kept, 1);
}

static void a_name_that_only_those_wait_for_who_are_passed_over_is_free_for_others(void **state)
{
    (void)state;
    workers[1].is_passed_over = true;
    assert_int_equal(add(1, "x", 11, true), CLAIMS_WAITS);
    assert_int_equal(add(2, "x", 21, false), CLAIMS_GIVEN);
    expect_news("x: 2.21\n");
    assert_true(give_back(2, "x", 21));
    expect_news("x: not 2.21\n");
    assert_int_equal(add(3, "x", 31, true), CLAIMS_GIVEN);
    workers[1].is_passed_over = false;
    claims_settle(&claims);
    expect_news("x: 3.31\n");
}

static void what_a_worker_had_is_free_before_any_of_it_is_given_away(void **state)
{
    (void)state;
    assert_int_equal(add(1, "x", 11, true), CLAIMS_GIVEN);
    assert_int_equal(add(1, "y", 12, false), CLAIMS_GIVEN);
    assert_int_equal(add(2, "x", 21, true), CLAIMS_WAITS);
    news[0] = '\0';
    claims_leave(&claims, &workers[1]);
    expect_news("x: 2.21\n"); /* of y nobody need be told: its holder's end says it */
    assert_int_equal(claims.names, 1);
    assert_int_equal(add(2, "y", 22, false), CLAIMS_GIVEN);
}

static void one_worker_can_have_so_many_claims_and_all_of_them_so_many_names(void **state)
{
    (void)state;
    char name[16];
    for (unsigned i = 0; i < CLAIMS_OF_ONE_MAX; i++) {
        (void)snprintf(name, sizeof(name), "%u", i);
        assert_int_equal(add(1, name, 1, false), CLAIMS_GIVEN);
        news[0] = '\0';
    }
    assert_int_equal(add(1, "0", 2, true), CLAIMS_OVERLOAD);
    assert_int_equal(add(2, "one more", 1, false), CLAIMS_OVERLOAD);
    assert_int_equal(add(2, "0", 1, true), CLAIMS_WAITS);
    assert_true(give_back(1, "1", 1));
    assert_int_equal(add(2, "one more", 1, false), CLAIMS_GIVEN);
    assert_int_equal(claims.names, CLAIMS_NAMES_MAX);
}

static void all_workers_together_can_have_so_many_claims(void **state)
{
    (void)state;
    char name[16];
    for (unsigned i = 0; i < CLAIMS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "%u", i % CLAIMS_OF_ONE_MAX);
        assert_int_not_equal(add((int)(i / CLAIMS_OF_ONE_MAX), name, 1, true), CLAIMS_OVERLOAD);
        news[0] = '\0';
    }
    assert_int_equal(claims.count, CLAIMS_MAX);
    assert_int_equal(add(WORKERS - 1, "0", 1, true), CLAIMS_OVERLOAD);
}

struct copy {
    struct claims claims;
    struct claimant workers[WORKERS];
};

static void copy_claim(void *owner, const struct claim *claim, bool is_holder)
{
    struct copy *copy = owner;
    assert_true(claims_restore(&copy->claims, &copy->workers[claim->claimant->incarnation],
                               claim->name->text, &claim->actor, is_holder));
}

static void what_is_visited_and_restored_goes_on_as_before(void **state)
{
    (void)state;
    static struct copy copy;
    copy = (struct copy){.claims = {.on_holder = NULL}}; /* it would crash */
    workers[5].is_passed_over = true;
    assert_int_equal(add(5, "vacant", 51, true), CLAIMS_WAITS);
    assert_int_equal(add(1, "x", 11, true), CLAIMS_GIVEN);
    assert_int_equal(add(3, "x", 31, true), CLAIMS_WAITS);
    assert_int_equal(add(2, "x", 21, true), CLAIMS_WAITS);
    assert_int_equal(add(2, "y", 22, false), CLAIMS_GIVEN);
    claims_visit(&claims, copy_claim, &copy);
    for (int i = 0; i < WORKERS; i++) {
        assert_int_equal(copy.workers[i].count, workers[i].count);
        assert_int_equal(copy.workers[i].kept, workers[i].kept);
        copy.workers[i].incarnation = (uint64_t)i;
    }
    assert_int_equal(copy.claims.vacant, 1);
    copy.workers[5].is_passed_over = true;
    copy.claims.on_holder = on_holder;
    news[0] = '\0';
    claims_leave(&copy.claims, &copy.workers[1]);
    expect_news("x: 3.31\n");
    claims_leave(&copy.claims, &copy.workers[3]);
    expect_news("x: 2.21\n");
    claims_leave(&copy.claims, &copy.workers[2]);
    claims_leave(&copy.claims, &copy.workers[5]);
    assert_int_equal(copy.claims.names, 0);
}

static void what_cannot_have_been_is_not_restored(void **state)
{
    (void)state;
    struct claim_actor actor = {.serial = 1, .index = 1};
    struct claim_actor waiting = {.serial = 2, .index = 2, .waits = true};
    assert_true(claims_restore(&claims, &workers[1], "x", &actor, true));
    assert_false(claims_restore(&claims, &workers[2], "x", &actor, true));
    assert_false(claims_restore(&claims, &workers[2], "x", &actor, false));
    assert_true(claims_restore(&claims, &workers[2], "x", &waiting, false));
    assert_false(claims_restore(&claims, &workers[2], "x", &waiting, false));
    assert_true(claims_restore(&claims, &workers[2], "vacant", &waiting, false));
    assert_int_equal(claims.vacant, 1);
    expect_news("");
    workers[3].count = CLAIMS_OF_ONE_MAX;
    assert_false(claims_restore(&claims, &workers[3], "y", &actor, true));
    workers[3].count = 0;
    assert_int_equal(claims.names, 2);
}

/* A slow model of the same rules. */
struct model {
    int holder[8]; /* worker, or -1 */
    int waiting[8][WORKERS];
    int waiting_count[8];
};

static void check(const struct model *model, const char *const names[8])
{
    for (int n = 0; n < 8; n++) {
        const struct claim_name *found = NULL;
        for (size_t i = 0; i < CLAIMS_BUCKETS && found == NULL; i++) {
            for (found = claims.buckets[i]; found != NULL && strcmp(found->text, names[n]) != 0;) {
                found = found->next;
            }
        }
        int holder =
            found != NULL && found->holder != NULL ? (int)found->holder->claimant->incarnation : -1;
        assert_int_equal(holder, model->holder[n]);
        int count = 0;
        for (const struct claim *at = found != NULL ? found->waiting : NULL; at; at = at->next) {
            assert_int_equal(at->claimant->incarnation, model->waiting[n][count++]);
        }
        assert_int_equal(count, model->waiting_count[n]);
    }
}

static void pass_on(struct model *model, int n)
{
    int best = -1;
    for (int i = 0; i < model->waiting_count[n]; i++) {
        int kept = 0;
        int best_kept = 0;
        for (int k = 0; k < 8; k++) {
            kept += model->holder[k] == model->waiting[n][i];
            best_kept += best >= 0 && model->holder[k] == model->waiting[n][best];
        }
        if (best < 0 || kept < best_kept) {
            best = i;
        }
    }
    model->holder[n] = best < 0 ? -1 : model->waiting[n][best];
    for (int i = best; best >= 0 && i + 1 < model->waiting_count[n]; i++) {
        model->waiting[n][i] = model->waiting[n][i + 1];
    }
    model->waiting_count[n] -= best >= 0;
}

static void random_claims_agree_with_a_slow_model(void **state)
{
    (void)state;
    static const char *const names[8] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct model model = {.holder = {-1, -1, -1, -1, -1, -1, -1, -1}};
    uint32_t random = 1;
    for (int i = 0; i < 20000; i++) {
        random = random * 1664525U + 1013904223U;
        int n = (int)(random >> 29);
        int w = (int)(random >> 16) % WORKERS;
        int at = 0;
        while (at < model.waiting_count[n] && model.waiting[n][at] != w) {
            at++;
        }
        bool is_waiting = at < model.waiting_count[n];
        if (model.holder[n] == w && !is_waiting) {
            assert_true(give_back(w, names[n], 1));
            pass_on(&model, n);
        } else if (is_waiting && model.holder[n] != w) {
            assert_true(give_back(w, names[n], 1));
            for (int k = at; k + 1 < model.waiting_count[n]; k++) {
                model.waiting[n][k] = model.waiting[n][k + 1];
            }
            model.waiting_count[n]--;
        } else if (model.holder[n] < 0) {
            assert_int_equal(add(w, names[n], 1, true), CLAIMS_GIVEN);
            model.holder[n] = w;
        } else {
            assert_int_equal(add(w, names[n], 1, true), CLAIMS_WAITS);
            model.waiting[n][model.waiting_count[n]++] = w;
        }
        news[0] = '\0';
        check(&model, names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_who_claims_a_name_has_it_until_it_gives_it_back,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_who_has_a_name_can_give_it_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            who_waits_gets_the_name_in_the_same_step_in_which_it_is_given_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_worker_waits_for_a_name_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_are_waited_for_spread_over_the_workers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(among_equals_the_oldest_gets_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_passed_over_waits_until_that_is_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_name_that_only_those_wait_for_who_are_passed_over_is_free_for_others, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(what_a_worker_had_is_free_before_any_of_it_is_given_away,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            one_worker_can_have_so_many_claims_and_all_of_them_so_many_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_workers_together_can_have_so_many_claims, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_visited_and_restored_goes_on_as_before, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_have_been_is_not_restored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_claims_agree_with_a_slow_model, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
