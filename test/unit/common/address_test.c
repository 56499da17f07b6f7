#include "common/address.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct address parse(const char *text)
{
    struct address address;
    assert_int_equal(address_parse(text, strlen(text), &address), 0);
    return address;
}

static struct address_trust trust_of(const char *text)
{
    struct address_trust trust = {.kind = ADDRESS_TRUST_UNSET};
    struct fsd_err err;
    assert_int_equal(address_trust_add(&trust, text, strlen(text), &err), 0);
    return trust;
}

static void an_address_is_written_as_people_do(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"::FFFF:0a00:0001", "10.0.0.1"},
        {"::1", "::1"},
        {"2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"1:2:3:4:5:6:255.255.255.255", "1:2:3:4:5:6:ffff:ffff"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[ADDRESS_TEXT_MAX];
        struct address address = parse(cases[i][0]);
        address_format(&address, text);
        assert_string_equal(text, cases[i][1]);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "x",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "1.2.3.256",
        "1.2.3.4:80",
        "[::1]",
        "::1%lo",
        " 1.2.3.4",
        "1.2.3.4 ",
        "0x7f.1",
        "2130706433",
        ":::",
        "1:2:3:4:5:6:7:8:9",
        "127.0.0.1\n",
        "unknown",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000",
    };
    struct address address;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(address_parse(cases[i], strlen(cases[i]), &address), -EINVAL);
    }
    assert_int_equal(address_parse("1.2.3.4\0x", 9, &address), -EINVAL);
}

static void a_range_has_what_begins_with_its_bits(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        const char *address;
        bool has;
    } cases[] = {
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1", "10.0.0.2", false},
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.1.2.3/8", "10.9.9.9", true},
        {"10.0.0.0/255.0.0.0", "10.9.9.9", true},
        {"10.0.0.0/255.0.0.0", "11.0.0.1", false},
        {"10.0.0.0/255.255.255.255", "10.0.0.0", true},
        {"192.168.1.128/25", "192.168.1.200", true},
        {"192.168.1.128/25", "192.168.1.100", false},
        {"128.0.0.0/1", "255.0.0.1", true},
        {"128.0.0.0/1", "127.0.0.1", false},
        {"10.0.0.0/8", "::ffff:10.0.0.1", true},
        {"::ffff:10.0.0.0/104", "10.9.9.9", true},
        {"::ffff:10.0.0.1", "10.0.0.1", true},
        {"fc00::/7", "fd12::1", true},
        {"fc00::/7", "fe00::1", false},
        {"::/1", "10.0.0.1", false},
        {"::/1", "::1", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"loopback", "127.9.9.9", true},
        {"loopback", "::1", true},
        {"loopback", "::2", false},
        {"loopback", "128.0.0.1", false},
        {"linklocal", "169.254.1.1", true},
        {"linklocal", "fe80::1", true},
        {"linklocal", "fec0::1", false},
        {"uniquelocal", "10.1.1.1", true},
        {"uniquelocal", "172.31.1.1", true},
        {"uniquelocal", "172.32.1.1", false},
        {"uniquelocal", "192.168.1.1", true},
        {"uniquelocal", "fd00::1", true},
        {"uniquelocal", "127.0.0.1", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address_trust trust = trust_of(cases[i].range);
        struct address address = parse(cases[i].address);
        assert_int_equal(address_is_trusted(&trust, &address, 0), cases[i].has);
    }
}

static void what_is_no_range_is_refused_by_its_text(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "loopbac",
        "Loopback",
        "10.0.0.0/0",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/x",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0.0/0.0.0.0",
        "::/0",
        "::/129",
        "::1/255.0.0.0",
        "::ffff:0.0.0.0/96",
        "::ffff:0.0.0.0/8",
        "10.0.0.0/255.0.255.0",
        "10.0.0.0/::1",
        "/8",
        "10.0.0.0/99999999999999",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address_trust trust = {.kind = ADDRESS_TRUST_UNSET};
        struct fsd_err err;
        assert_int_equal(address_trust_add(&trust, cases[i], strlen(cases[i]), &err), -EINVAL);
        assert_int_equal(trust.count, 0);
        assert_non_null(strstr(err.text, cases[i]));
    }
}

static void a_list_has_an_end(void **state)
{
    (void)state;
    struct address_trust trust = {.kind = ADDRESS_TRUST_UNSET};
    struct fsd_err err;
    for (unsigned i = 0; i < ADDRESS_RANGES_MAX; i++) {
        assert_int_equal(address_trust_add(&trust, "10.0.0.1", 8, &err), 0);
    }
    assert_int_equal(address_trust_add(&trust, "10.0.0.1", 8, &err), -E2BIG);
    assert_int_equal(address_trust_add(&trust, "loopback", 8, &err), -E2BIG);
    assert_int_equal(trust.count, ADDRESS_RANGES_MAX);
}

static void hops_are_counted_from_us(void **state)
{
    (void)state;
    struct address address = parse("8.8.8.8");
    struct address_trust trust = {.kind = ADDRESS_TRUST_HOPS, .hops = 2};
    assert_true(address_is_trusted(&trust, &address, 0));
    assert_true(address_is_trusted(&trust, &address, 1));
    assert_false(address_is_trusted(&trust, &address, 2));
}

static void all_or_none_may_be_trusted(void **state)
{
    (void)state;
    struct address address = parse("8.8.8.8");
    struct address_trust trust = {.kind = ADDRESS_TRUST_ALL};
    assert_true(address_is_trusted(&trust, &address, 99));
    trust.kind = ADDRESS_TRUST_NONE;
    assert_false(address_is_trusted(&trust, &address, 0));
    trust.kind = ADDRESS_TRUST_UNSET;
    assert_false(address_is_trusted(&trust, &address, 0));
    trust.kind = ADDRESS_TRUST_FUNCTION;
    assert_false(address_is_trusted(&trust, &address, 0));
}

static void a_list_has_commas(void **state)
{
    (void)state;
    struct address_trust trust;
    struct fsd_err err;
    assert_int_equal(address_trust_parse("", 0, &trust, &err), 0);
    assert_int_equal(trust.kind, ADDRESS_TRUST_NONE);
    static const char text[] = " 10.0.0.0/8 ,::1,loopback";
    assert_int_equal(address_trust_parse(text, strlen(text), &trust, &err), 0);
    assert_int_equal(trust.kind, ADDRESS_TRUST_RANGES);
    assert_int_equal(trust.count, 4);
    assert_int_equal(address_trust_parse("::1,,::2", 8, &trust, &err), -EINVAL);
    assert_int_equal(address_trust_parse("::1, x", 6, &trust, &err), -EINVAL);
    assert_int_equal(trust.count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_written_as_people_do),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_range_has_what_begins_with_its_bits),
        cmocka_unit_test(what_is_no_range_is_refused_by_its_text),
        cmocka_unit_test(a_list_has_commas),
        cmocka_unit_test(a_list_has_an_end),
        cmocka_unit_test(hops_are_counted_from_us),
        cmocka_unit_test(all_or_none_may_be_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
