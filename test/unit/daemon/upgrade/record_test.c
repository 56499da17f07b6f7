/* Structs are written and read back by their rows, and nothing else is read. */
#include "daemon/upgrade/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

enum { ITEMS_MAX = 3 };

struct item {
    uint64_t value;
    int fd;
};
static const struct record_row item_rows[] = {
    {"value", RECORD_UINT, offsetof(struct item, value), 100, NULL},
    {"fd", RECORD_MAYBE_FD, offsetof(struct item, fd), 7, NULL},
};
static const struct record_type item_type = {sizeof(struct item), item_rows, 2};

struct whole {
    uint64_t any;
    bool flag;
    char name[4];
    char *text;
    int fd;
    struct record_list items;
    struct item part;
};
static const struct record_row whole_rows[] = {
    {"any", RECORD_UINT, offsetof(struct whole, any), UINT64_MAX, NULL},
    {"flag", RECORD_BOOL, offsetof(struct whole, flag), 0, NULL},
    {"name", RECORD_NAME, offsetof(struct whole, name), 4, NULL},
    {"text", RECORD_TEXT, offsetof(struct whole, text), 8, NULL},
    {"fd", RECORD_FD, offsetof(struct whole, fd), 9, NULL},
    {"items", RECORD_LIST, offsetof(struct whole, items), ITEMS_MAX, &item_type},
    {"part", RECORD_PART, offsetof(struct whole, part), 0, &item_type},
};
static const struct record_type whole_type = {sizeof(struct whole), whole_rows, 7};

static struct whole make_whole(void)
{
    struct whole whole = {.any = UINT64_MAX - 1, .flag = true, .name = "abc", .fd = 11};
    whole.text = strdup("12345678");
    struct item *items = record_list_make(&whole.items, &item_type, 2);
    items[0] = (struct item){100, 12};
    items[1] = (struct item){0, -1};
    whole.part = (struct item){5, 13};
    return whole;
}

static int read_bytes(const void *data, size_t len, bool may_lack, struct whole *ret,
                      struct fsd_err *err)
{
    struct record_source source = {.may_lack = may_lack};
    msgpack_reader_init(&source.reader, data, len);
    *ret = (struct whole){.any = 0};
    return record_read(&source, &whole_type, ret, err);
}

static void what_is_written_is_read_as_the_same(void **state)
{
    (void)state;
    struct whole whole = make_whole();
    struct whole again;
    struct msgpack_writer writer;
    struct fsd_err err = {""};
    msgpack_writer_init(&writer, 4096);
    record_write(&writer, &whole_type, &whole);
    assert_int_equal(read_bytes(writer.data, writer.len, false, &again, &err), 0);
    assert_true(again.any == whole.any);
    assert_true(again.flag);
    assert_string_equal(again.name, "abc");
    assert_string_equal(again.text, "12345678");
    assert_int_equal(again.fd, 11);
    assert_int_equal(again.items.count, 2);
    const struct item *items = again.items.items;
    assert_int_equal(items[0].value, 100);
    assert_int_equal(items[0].fd, 12);
    assert_int_equal(items[1].value, 0);
    assert_int_equal(items[1].fd, -1);
    assert_int_equal(again.part.value, 5);
    record_free(&whole_type, &again);
    record_free(&whole_type, &whole);
    msgpack_writer_fini(&writer);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct whole whole = make_whole();
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 4096);
    record_write(&writer, &whole_type, &whole);
    for (size_t len = 0; len < writer.len; len++) {
        struct whole again;
        struct fsd_err err = {""};
        assert_int_equal(read_bytes(writer.data, len, true, &again, &err), -EPROTO);
        assert_string_not_equal(err.text, "");
        record_free(&whole_type, &again);
    }
    record_free(&whole_type, &whole);
    msgpack_writer_fini(&writer);
}

static void nothing_is_written_as_an_empty_text(void **state)
{
    (void)state;
    struct whole whole = make_whole();
    struct whole again;
    struct msgpack_writer writer;
    free(whole.text);
    whole.text = NULL;
    msgpack_writer_init(&writer, 4096);
    record_write(&writer, &whole_type, &whole);
    assert_int_equal(read_bytes(writer.data, writer.len, false, &again, NULL), 0);
    assert_string_equal(again.text, "");
    record_free(&whole_type, &again);
    record_free(&whole_type, &whole);
    msgpack_writer_fini(&writer);
}

/* An item that is written pair by pair. */
struct pairs {
    struct msgpack_writer writer;
};

static void begin(struct pairs *pairs, uint32_t count)
{
    msgpack_writer_init(&pairs->writer, 4096);
    msgpack_write_map(&pairs->writer, count);
}

static void add(struct pairs *pairs, const char *key, int64_t value)
{
    msgpack_write_text(&pairs->writer, key);
    msgpack_write_int(&pairs->writer, value);
}

static int read_item(struct pairs *pairs, bool may_lack, struct item *ret, struct fsd_err *err)
{
    struct record_source source = {.may_lack = may_lack};
    msgpack_reader_init(&source.reader, pairs->writer.data, pairs->writer.len);
    *ret = (struct item){.fd = 99};
    int result = record_read(&source, &item_type, ret, err);
    msgpack_writer_fini(&pairs->writer);
    return result;
}

static void a_value_out_of_its_range_is_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        int64_t fd;
        int result;
    } cases[] = {
        {0, -1, 0},        {100, 3, 0},
        {101, 3, -EPROTO}, {-1, 3, -EPROTO},
        {1, 0, -EPROTO},   {1, 2, -EPROTO},
        {1, -2, -EPROTO},  {1, (int64_t)1 << 40, -EPROTO},
        {1, 1 << 24, 0},   {1, (1 << 24) + 1, -EPROTO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pairs pairs;
        struct item item;
        struct fsd_err err = {""};
        begin(&pairs, 2);
        add(&pairs, "value", cases[i].value);
        add(&pairs, "fd", cases[i].fd);
        assert_int_equal(read_item(&pairs, false, &item, &err), cases[i].result);
    }
}

static void a_key_that_is_unknown_is_passed_over(void **state)
{
    (void)state;
    struct pairs pairs;
    struct item item;
    begin(&pairs, 3);
    add(&pairs, "value", 4);
    msgpack_write_text(&pairs.writer, "later");
    msgpack_write_array(&pairs.writer, 2);
    msgpack_write_nil(&pairs.writer);
    msgpack_write_text(&pairs.writer, "x");
    add(&pairs, "fd", 5);
    assert_int_equal(read_item(&pairs, false, &item, NULL), 0);
    assert_int_equal(item.value, 4);
    assert_int_equal(item.fd, 5);
}

static void a_key_that_is_there_twice_is_refused(void **state)
{
    (void)state;
    struct pairs pairs;
    struct item item;
    struct fsd_err err = {""};
    begin(&pairs, 2);
    add(&pairs, "value", 4);
    add(&pairs, "value", 4);
    assert_int_equal(read_item(&pairs, true, &item, &err), -EPROTO);
    assert_string_equal(err.text, "\"value\" is there twice");
}

static void a_missing_key_is_refused_unless_it_may_lack(void **state)
{
    (void)state;
    struct pairs pairs;
    struct item item;
    struct fsd_err err = {""};
    begin(&pairs, 0);
    assert_int_equal(read_item(&pairs, false, &item, &err), -EPROTO);
    assert_string_equal(err.text, "\"value\" is missing");
    begin(&pairs, 0);
    assert_int_equal(read_item(&pairs, true, &item, &err), 0);
    assert_int_equal(item.value, 0);
    assert_int_equal(item.fd, -1);
}

static void a_descriptor_is_never_made_up(void **state)
{
    (void)state;
    struct whole whole;
    struct fsd_err err = {""};
    static const unsigned char empty_map[] = {0x80};
    assert_int_equal(read_bytes(empty_map, 1, true, &whole, &err), -EPROTO);
    assert_string_equal(err.text, "\"fd\" is missing");
}

static void write_whole_with(struct msgpack_writer *writer, const char *key, const char *text,
                             size_t len)
{
    msgpack_writer_init(writer, 4096);
    msgpack_write_map(writer, 1);
    msgpack_write_text(writer, key);
    msgpack_write_str(writer, text, len);
}

static void a_text_that_is_too_long_or_has_a_nul_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *text;
        size_t len;
    } cases[] = {{"name", "abcd", 4},
                 {"name", "a\0b", 3},
                 {"text", "123456789", 9},
                 {"text", "a\0", 2},
                 {"flag", "x", 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_writer writer;
        struct whole whole;
        struct fsd_err err = {""};
        char wanted[64];
        (void)snprintf(wanted, sizeof(wanted), "\"%s\" is not what it should be", cases[i].key);
        write_whole_with(&writer, cases[i].key, cases[i].text, cases[i].len);
        assert_int_equal(read_bytes(writer.data, writer.len, true, &whole, &err), -EPROTO);
        assert_string_equal(err.text, wanted);
        record_free(&whole_type, &whole);
        msgpack_writer_fini(&writer);
    }
}

static void a_list_that_is_too_long_is_refused(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    struct whole whole;
    struct fsd_err err = {""};
    msgpack_writer_init(&writer, 4096);
    msgpack_write_map(&writer, 1);
    msgpack_write_text(&writer, "items");
    msgpack_write_array(&writer, ITEMS_MAX + 1);
    for (int i = 0; i <= ITEMS_MAX; i++) {
        msgpack_write_map(&writer, 0);
    }
    assert_int_equal(read_bytes(writer.data, writer.len, true, &whole, &err), -EPROTO);
    assert_string_equal(err.text, "\"items\" is not what it should be");
    record_free(&whole_type, &whole);
    msgpack_writer_fini(&writer);
}

struct seen {
    int fds[8];
    uint64_t whats[8];
    size_t count;
    size_t limit;
};

static int see(void *owner, int fd, uint64_t what)
{
    struct seen *seen = owner;
    seen->fds[seen->count] = fd;
    seen->whats[seen->count++] = what;
    return seen->count == seen->limit ? 42 : 0;
}

static void all_descriptors_are_visited_and_the_visitor_can_end_it(void **state)
{
    (void)state;
    struct whole whole = make_whole();
    struct seen all = {.limit = 0};
    struct seen two = {.limit = 2};
    static const int fds[] = {11, 12, 13}; /* the -1 is none */
    static const uint64_t whats[] = {9, 7, 7};
    assert_int_equal(record_visit_fds(&whole_type, &whole, see, &all), 0);
    assert_int_equal(all.count, 3);
    assert_memory_equal(all.fds, fds, sizeof(fds));
    assert_memory_equal(all.whats, whats, sizeof(whats));
    assert_int_equal(record_visit_fds(&whole_type, &whole, see, &two), 42);
    assert_int_equal(two.count, 2);
    record_free(&whole_type, &whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_as_the_same),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(nothing_is_written_as_an_empty_text),
        cmocka_unit_test(a_value_out_of_its_range_is_refused),
        cmocka_unit_test(a_key_that_is_unknown_is_passed_over),
        cmocka_unit_test(a_key_that_is_there_twice_is_refused),
        cmocka_unit_test(a_missing_key_is_refused_unless_it_may_lack),
        cmocka_unit_test(a_descriptor_is_never_made_up),
        cmocka_unit_test(a_text_that_is_too_long_or_has_a_nul_is_refused),
        cmocka_unit_test(a_list_that_is_too_long_is_refused),
        cmocka_unit_test(all_descriptors_are_visited_and_the_visitor_can_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
