/* The state of a master is read as it was written, and only when it fits together. */
#include "daemon/upgrade/upgrade_state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/msgpack.h"
#include "test/support/upgrade_sample.h"

static void encode(const struct upgrade_state *state, unsigned char **data, size_t *len)
{
    assert_int_equal(upgrade_state_encode(state, data, len), 0);
}

static void the_state_is_read_as_it_was_written(void **unused)
{
    (void)unused;
    struct upgrade_state state = upgrade_sample_make();
    struct upgrade_state again;
    unsigned char *data = NULL;
    unsigned char *data_again = NULL;
    size_t len = 0;
    size_t len_again = 0;
    struct fsd_err err = {""};
    encode(&state, &data, &len);
    if (upgrade_state_decode(&again, data, len, &err) < 0) {
        fail_msg("%s", err.text);
    }
    assert_true(again.control_inode == UINT64_MAX);
    assert_string_equal(again.caller.id, "17");
    const struct upgrade_pool *pool = again.pools.items;
    const struct upgrade_slot *slots = pool->slots.items;
    assert_string_equal(slots[1].last_exit, "exited with code 3");
    assert_int_equal(slots[1].borrower, 7);
    const struct upgrade_proc *procs = pool->procs.items;
    assert_true(procs[0].laggards == 2 && procs[0].laggards_generation == 1);
    assert_string_equal(procs[0].laggards_text, "task t since 1 at a:1");
    const struct upgrade_app *app = again.apps.items;
    const struct upgrade_bundle *kept = app->kept.items;
    assert_true(app->running.origin == 3 && app->running.committed_us == 70);
    assert_true(app->kept.count == 2 && kept[1].number == 2 && kept[1].fd == 34);
    assert_string_equal(app->setback_why, "too many restarts");
    const struct upgrade_shared *shared = again.shared.items;
    assert_true(again.shared.count == 1 && shared->seed == UINT64_MAX);
    const struct upgrade_claim *claim = again.claims.items;
    assert_true(again.claims.count == 1 && claim->serial == UINT64_MAX);
    const struct upgrade_extra *extra = again.extras.items;
    assert_true(again.extras.count == 1 && strcmp(extra->text, "{\"app\":\"shop\"}") == 0);
    encode(&again, &data_again, &len_again);
    assert_int_equal(len_again, len);
    assert_memory_equal(data_again, data, len);
    free(data);
    free(data_again);
    upgrade_state_fini(&again);
    upgrade_state_fini(&state);
}

static void a_state_that_is_cut_anywhere_is_refused(void **unused)
{
    (void)unused;
    struct upgrade_state state = upgrade_sample_make();
    struct upgrade_state again;
    unsigned char *data = NULL;
    size_t len = 0;
    struct fsd_err err;
    encode(&state, &data, &len);
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(upgrade_state_decode(&again, data, cut, &err), -EPROTO);
    }
    free(data);
    upgrade_state_fini(&state);
}

static void what_follows_the_end_is_refused(void **unused)
{
    (void)unused;
    struct upgrade_state state = upgrade_sample_make();
    struct upgrade_state again;
    unsigned char *data = NULL;
    size_t len = 0;
    struct fsd_err err;
    encode(&state, &data, &len);
    unsigned char *longer = realloc(data, len + 1);
    assert_non_null(longer);
    longer[len] = 0;
    assert_int_equal(upgrade_state_decode(&again, longer, len + 1, &err), -EPROTO);
    assert_string_equal(err.text, "cannot read the state: something follows its end");
    free(longer);
    upgrade_state_fini(&state);
}

static int decode_head(const char *word, int64_t version, struct fsd_err *err)
{
    struct msgpack_writer writer;
    struct upgrade_state state;
    msgpack_writer_init(&writer, 4096);
    msgpack_write_array(&writer, 3);
    msgpack_write_text(&writer, word);
    msgpack_write_int(&writer, version);
    msgpack_write_map(&writer, 0);
    int result = upgrade_state_decode(&state, writer.data, writer.len, err);
    msgpack_writer_fini(&writer);
    return result;
}

static void a_state_of_a_later_version_is_refused_by_its_number(void **unused)
{
    (void)unused;
    struct fsd_err err = {""};
    assert_int_equal(decode_head("fsd-upgrade", UPGRADE_STATE_VERSION + 1, &err), -EPROTO);
    assert_string_equal(err.text,
                        "cannot read the state: it is of version 5, known are versions up to 4");
    assert_int_equal(decode_head("fsd-upgrade", 0, &err), -EPROTO);
    assert_int_equal(decode_head("fsd-updates", 1, &err), -EPROTO);
    assert_string_equal(err.text, "cannot read the state: it is no state of an fsd");
    assert_int_equal(decode_head("fsd-upgrade", UPGRADE_STATE_VERSION, &err), -EPROTO);
    assert_string_equal(err.text, "cannot read the state: \"version\" is missing");
}

/* Each makes a state that fits together one that does not. */
#define POOL(state)  ((struct upgrade_pool *)(state)->pools.items)
#define SLOT(state)  ((struct upgrade_slot *)POOL(state)->slots.items)
#define PROC(state)  ((struct upgrade_proc *)POOL(state)->procs.items)
#define CLAIM(state) ((struct upgrade_claim *)(state)->claims.items)
#define APP(state)   ((struct upgrade_app *)(state)->apps.items)

static void speak_otherwise(struct upgrade_state *state)
{
    state->protocol++;
}
static void draw_otherwise(struct upgrade_state *state)
{
    state->page_version++;
}
static void record_otherwise(struct upgrade_state *state)
{
    state->blackbox_version++;
}
static void forget_pid(struct upgrade_state *state)
{
    state->pid = 0;
}
static void forget_path(struct upgrade_state *state)
{
    state->path[0] = '\0';
}
static void forget_worker(struct upgrade_state *state)
{
    state->options.worker_path[0] = 'x';
}
static void say_run_with_texts(struct upgrade_state *state)
{
    free(state->options.address);
    state->options.address = strdup("127.0.0.1:80");
}
static void run_code_that_is_not_there(struct upgrade_state *state)
{
    APP(state)->running.fd = -1;
}
static void run_no_code_that_is_there(struct upgrade_state *state)
{
    APP(state)->running.number = 0;
}
static void run_code_of_the_future(struct upgrade_state *state)
{
    APP(state)->last = 1;
}
#define KEPT(state) ((struct upgrade_bundle *)APP(state)->kept.items)
static void keep_nothing_where_something_is_said(struct upgrade_state *state)
{
    KEPT(state)->number = 0;
}
static void keep_what_has_no_file(struct upgrade_state *state)
{
    KEPT(state)->fd = -1;
}
static void keep_what_has_no_role(struct upgrade_state *state)
{
    KEPT(state)[1].number = 3;
}
static void keep_one_twice(struct upgrade_state *state)
{
    KEPT(state)[1].number = 4;
}
static void keep_what_is_to_come(struct upgrade_state *state)
{
    APP(state)->previous = 6;
    KEPT(state)->number = 6;
}
static void lose_the_previous(struct upgrade_state *state)
{
    APP(state)->previous = 1;
    APP(state)->confirmed = 4;
    APP(state)->kept.count = 1;
}
static void lose_the_confirmed(struct upgrade_state *state)
{
    APP(state)->kept.count = 1;
}
static void exclude_all(struct upgrade_state *state)
{
    ((struct upgrade_listener *)state->listeners.items)->live = 0;
}
static void exclude_none_of_too_few(struct upgrade_state *state)
{
    ((struct upgrade_listener *)state->listeners.items)->live = 3;
}
static void store_too_many(struct upgrade_state *state)
{
    ((struct upgrade_listener *)state->listeners.items)->stored = 3;
}
static void serve_with_none(struct upgrade_state *state)
{
    POOL(state)->count = 0;
}
static void serve_with_too_many(struct upgrade_state *state)
{
    POOL(state)->count = 3;
}
static void leave(struct upgrade_state *state)
{
    POOL(state)->phase = POOL_LEAVING;
}
static void be_under_way(struct upgrade_state *state)
{
    SLOT(state)[1].state = SLOT_STARTING;
}
static void replace(struct upgrade_state *state)
{
    SLOT(state)[0].state = SLOT_REPLACING;
}
static void be_ready_without_a_worker(struct upgrade_state *state)
{
    SLOT(state)[1].state = SLOT_READY;
}
static void wait_with_a_worker(struct upgrade_state *state)
{
    SLOT(state)[0].state = SLOT_HELD;
}
static void serve_in_a_slot_too_many(struct upgrade_state *state)
{
    POOL(state)->count = 1; /* the second is in BACKOFF */
}
static void borrow_from_nobody(struct upgrade_state *state)
{
    SLOT(state)[1].borrower = 99;
}
static void be_init(struct upgrade_state *state)
{
    PROC(state)->pid = 1;
}
static void have_no_number(struct upgrade_state *state)
{
    PROC(state)[1].number = 0;
}
static void be_of_the_future(struct upgrade_state *state)
{
    PROC(state)[1].number = 9;
}
static void serve_nowhere(struct upgrade_state *state)
{
    PROC(state)[1].slot = 2;
}
static void serve_in_reserve(struct upgrade_state *state)
{
    PROC(state)[1].is_active = true;
}
static void load_in_a_slot(struct upgrade_state *state)
{
    PROC(state)[0].is_active = false;
}
static void share_a_descriptor(struct upgrade_state *state)
{
    PROC(state)[1].page = PROC(state)[0].page;
}

static void name_nothing(struct upgrade_state *state)
{
    CLAIM(state)->name[0] = '\0';
}
static void neither_hold_nor_wait(struct upgrade_state *state)
{
    CLAIM(state)->is_holder = false;
}

static void what_does_not_fit_together_is_refused(void **unused)
{
    (void)unused;
    static const struct {
        void (*spoil)(struct upgrade_state *state);
        const char *words; /* that the sentence has */
    } cases[] = {
        {speak_otherwise, "version 7 of the protocol"},
        {draw_otherwise, "of the status page"},
        {record_otherwise, "of the black box"},
        {forget_pid, "does not say what runs"},
        {forget_path, "does not say what runs"},
        {forget_worker, "does not say what runs"},
        {say_run_with_texts, "does not say what runs"},
        {run_code_that_is_not_there, "the code of app \"shop\""},
        {run_no_code_that_is_there, "the code of app \"shop\""},
        {run_code_of_the_future, "the code of app \"shop\""},
        {keep_nothing_where_something_is_said, "the code of app \"shop\""},
        {keep_what_has_no_file, "the code of app \"shop\""},
        {keep_what_has_no_role, "the code of app \"shop\""},
        {keep_one_twice, "the code of app \"shop\""},
        {keep_what_is_to_come, "the code of app \"shop\""},
        {lose_the_previous, "the code of app \"shop\""},
        {lose_the_confirmed, "the code of app \"shop\""},
        {exclude_all, "listener \"web\""},
        {exclude_none_of_too_few, "listener \"web\""},
        {store_too_many, "listener \"web\""},
        {serve_with_none, "pool \"web\""},
        {serve_with_too_many, "pool \"web\""},
        {leave, "pool \"web\""},
        {be_under_way, "slot web/1"},
        {replace, "slot web/0"},
        {be_ready_without_a_worker, "slot web/1"},
        {wait_with_a_worker, "slot web/0"},
        {serve_in_a_slot_too_many, "slot web/1"},
        {borrow_from_nobody, "slot web/1"},
        {be_init, "process 1 of pool \"web\""},
        {have_no_number, "process 4712"},
        {be_of_the_future, "process 4712"},
        {serve_nowhere, "process 4712"},
        {serve_in_reserve, "process 4712"},
        {load_in_a_slot, "process 4711"},
        {name_nothing, "the name \"\""},
        {neither_hold_nor_wait, "the name \"lobby\""},
        {share_a_descriptor, "descriptor 21 is named twice"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct upgrade_state state = upgrade_sample_make();
        struct upgrade_state again;
        unsigned char *data = NULL;
        size_t len = 0;
        struct fsd_err err = {""};
        cases[i].spoil(&state);
        encode(&state, &data, &len);
        assert_int_equal(upgrade_state_decode(&again, data, len, &err), -EPROTO);
        if (strstr(err.text, cases[i].words) == NULL) {
            fail_msg("case %zu: %s", i, err.text);
        }
        free(data);
        upgrade_state_fini(&state);
    }
}

static void one_that_answers_503_serves_without_a_slot(void **unused)
{
    (void)unused;
    struct upgrade_state state = upgrade_sample_make();
    struct fsd_err err = {""};
    PROC(&state)[1].role = UPGRADE_UNAVAILABLE;
    PROC(&state)[1].is_active = true;
    assert_int_equal(upgrade_check(&state, &err), 0);
    PROC(&state)[0].role = UPGRADE_UNAVAILABLE;
    assert_int_equal(upgrade_check(&state, &err), -EPROTO); /* one is enough */
    upgrade_state_fini(&state);
}

static void descriptors_are_listed_in_rising_order(void **unused)
{
    (void)unused;
    struct upgrade_state state = upgrade_sample_make();
    int *fds = NULL;
    size_t count = 0;
    assert_int_equal(upgrade_list_fds(&state, &fds, &count), 0);
    assert_int_equal(count, 15);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fds[i], 20 + (int)i);
    }
    free(fds);
    upgrade_state_fini(&state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_is_read_as_it_was_written),
        cmocka_unit_test(a_state_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(what_follows_the_end_is_refused),
        cmocka_unit_test(a_state_of_a_later_version_is_refused_by_its_number),
        cmocka_unit_test(what_does_not_fit_together_is_refused),
        cmocka_unit_test(one_that_answers_503_serves_without_a_slot),
        cmocka_unit_test(descriptors_are_listed_in_rising_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
