/* The contract's rows, and what they refuse. */
#include "common/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

static size_t make_packet(unsigned char *packet, uint32_t kind, uint32_t size)
{
    struct proto_head head = {kind, size};
    memset(packet, 0, sizeof(head) + size);
    memcpy(packet, &head, sizeof(head));
    return sizeof(head) + size;
}

static void each_kind_has_the_row_that_names_it(void **state)
{
    (void)state;
    static const char *const names[] = {
        "HELLO",    "LOG",      "CONFIG",   "LOAD",      "UNAVAILABLE", "LOADED",   "REFUSED",
        "LISTENER", "ACTIVATE", "ACTIVE",   "RETURN",    "DRAIN",       "DRAINING", "PREPARE",
        "PREPARED", "REJECTED", "COMMIT",   "COMMITTED", "ABORT",       "LEAVE",    "DYING",
        "SHARED",   "UNSHARED", "JOIN",     "MEMBER",    "REACH",       "PEER",     "GONE",
        "CLAIM",    "UNCLAIM",  "NAMES",    "NAMED",     "UNNAMED",     "TAKEN",    "ASK",
        "ANSWER",   "POOLS",    "LAGGARDS", "ACCESS",
    };
    for (uint32_t kind = PROTO_HELLO; kind <= PROTO_ACCESS; kind++) {
        const struct proto_row *row = proto_find(kind);
        assert_non_null(row);
        assert_int_equal(row->kind, kind);
        assert_string_equal(row->name, names[kind - 1]);
        assert_true(row->size_min <= row->size_max);
        assert_true(row->size_max <= PROTO_PAYLOAD_MAX);
    }
    assert_null(proto_find(0));
    assert_null(proto_find(PROTO_ACCESS + 1));
    assert_null(proto_find(UINT32_MAX));
}

static void each_row_accepts_exactly_its_sizes_descriptors_and_side(void **state)
{
    (void)state;
    static unsigned char packet[sizeof(struct proto_head) + PROTO_PAYLOAD_MAX + 1];
    for (uint32_t kind = PROTO_HELLO; kind <= PROTO_ACCESS; kind++) {
        const struct proto_row *row = proto_find(kind);
        enum proto_direction other =
            row->direction == PROTO_TO_MASTER ? PROTO_TO_WORKER : PROTO_TO_MASTER;
        size_t len = make_packet(packet, kind, row->size_min);
        assert_int_equal(proto_check(packet, len, row->fds, row->direction, NULL), 0);
        assert_int_equal(proto_check(packet, len, row->fds, other, NULL), -71);
        assert_int_equal(proto_check(packet, len, row->fds + 1, row->direction, NULL), -71);
        len = make_packet(packet, kind, row->size_max);
        assert_int_equal(proto_check(packet, len, row->fds, row->direction, NULL), 0);
        len = make_packet(packet, kind, row->size_max + 1);
        assert_int_equal(proto_check(packet, len, row->fds, row->direction, NULL), -71);
        if (row->size_min > 0) {
            len = make_packet(packet, kind, row->size_min - 1);
            assert_int_equal(proto_check(packet, len, row->fds, row->direction, NULL), -71);
        }
        if (row->fds > 0) {
            len = make_packet(packet, kind, row->size_min);
            assert_int_equal(proto_check(packet, len, 0, row->direction, NULL), -71);
        }
    }
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        uint32_t size;
        size_t len;
        unsigned fds;
        const char *why;
    } cases[] = {
        {1, 0, 3, 0, "message of 3 bytes has no head"},
        {1, 0, 0, 0, "message of 0 bytes has no head"},
        {1, 32, 20, 0, "message says 32 bytes of payload but has 12"},
        {1, UINT32_MAX, 40, 0, "message says 4294967295 bytes of payload but has 32"},
        {99, 0, 8, 0, "unknown message kind 99"},
        {0, 0, 8, 0, "unknown message kind 0"},
        {PROTO_LOAD, 8, 16, 1, "LOAD came from the wrong side"},
        {PROTO_HELLO, 4, 12, 0, "HELLO has 4 bytes, not 32 to 32"},
        {PROTO_ACTIVE, 8, 16, 2, "ACTIVE came with 2 descriptors, not 0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char packet[64] = {0};
        struct proto_head head = {cases[i].kind, cases[i].size};
        struct fsd_err err = {""};
        memcpy(packet, &head, sizeof(head));
        assert_true(proto_check(packet, cases[i].len, cases[i].fds, PROTO_TO_MASTER, &err) < 0);
        assert_string_equal(err.text, cases[i].why);
    }
}

static void the_layout_is_the_one_that_workers_were_built_with(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct proto_head), 8);
    assert_int_equal(sizeof(struct proto_hello), 32);
    assert_int_equal(offsetof(struct proto_hello, protocol), 0);
    assert_int_equal(sizeof(struct proto_listener), 8 + PROTO_NAME_MAX);
    assert_int_equal(sizeof(struct proto_activate), 16);
    assert_int_equal(sizeof(struct proto_transaction), 24);
    assert_int_equal(sizeof(struct proto_generation), 8);
    assert_int_equal(sizeof(struct proto_drain), 16);
    assert_int_equal(PROTO_HELLO, 1);
    assert_int_equal(PROTO_DRAIN, 12);
    assert_int_equal(sizeof(struct proto_shared), 16 + PROTO_NAME_MAX);
    assert_int_equal(PROTO_DYING, 21);
    assert_int_equal(PROTO_UNSHARED, 23);
    assert_int_equal(sizeof(struct proto_member), 16 + PROTO_NAME_MAX);
    assert_int_equal(sizeof(struct proto_peer), 16);
    assert_int_equal(PROTO_GONE, 28);
    assert_int_equal(sizeof(struct proto_claim), 16);
    assert_int_equal(sizeof(struct proto_named), 24);
    assert_int_equal(sizeof(struct proto_taken), 16);
    assert_int_equal(PROTO_TAKEN, 34);
    assert_int_equal(sizeof(struct proto_ask), 16 + PROTO_NAME_MAX);
    assert_int_equal(sizeof(struct proto_answer), 16);
    assert_int_equal(PROTO_POOLS, PROTO_ASK + 2);
    assert_int_equal(sizeof(struct proto_laggards), 16);
    assert_int_equal(PROTO_LAGGARDS, PROTO_POOLS + 1);
    assert_int_equal(PROTO_ACCESS, PROTO_LAGGARDS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_the_row_that_names_it),
        cmocka_unit_test(each_row_accepts_exactly_its_sizes_descriptors_and_side),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(the_layout_is_the_one_that_workers_were_built_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
