#include "worker/core/stdlib/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/core/stdlib/match_find.h"

enum { STEPS = 1000000 };

#define TEXT(literal) ((struct match_text){literal, sizeof(literal) - 1})

/* Where the first match is, as "first-last" from 1, its captures behind it; or "none", or why there can't be one. */
static void show(struct match_text subject, struct match_text pattern, char *shown, size_t room)
{
    struct match match;
    match_init(&match, subject, pattern, STEPS);
    bool is_anchored = match_take_anchor(&match);
    enum match_result result =
        is_anchored ? match_here(&match, subject.bytes) : match_find(&match, subject.bytes);
    if (result == MATCH_MALFORMED) {
        match_describe(&match, shown, room);
        return;
    }
    if (result != MATCH_FOUND) {
        (void)snprintf(shown, room, result == MATCH_NONE ? "none" : "out of steps");
        return;
    }
    int len = snprintf(shown, room, "%td-%td", match.start - subject.bytes + 1,
                       match.end - subject.bytes);
    for (int i = 0; i < match.capture_count; i++) {
        const struct match_capture *capture = &match.captures[i];
        if (capture->len == MATCH_LEN_POSITION) {
            len += snprintf(shown + len, room - (size_t)len, " @%td",
                            capture->start - subject.bytes + 1);
        } else if (capture->len == MATCH_LEN_OPEN) {
            len += snprintf(shown + len, room - (size_t)len, " open");
        } else {
            len += snprintf(shown + len, room - (size_t)len, " %.*s", (int)capture->len,
                            capture->start);
        }
    }
}

static void check(struct match_text subject, struct match_text pattern, const char *wanted)
{
    char shown[200];
    show(subject, pattern, shown, sizeof(shown));
    if (strcmp(shown, wanted) != 0) {
        fail_msg("\"%s\" on \"%s\": %s, not %s", pattern.bytes, subject.bytes, shown, wanted);
    }
}

#define CHECK(subject, pattern, wanted) check(TEXT(subject), TEXT(pattern), wanted)

static void bytes_and_any_byte(void **state)
{
    (void)state;
    CHECK("hello", "l", "3-3");
    CHECK("hello", "l.o", "3-5");
    CHECK("hello", "", "1-0");
    CHECK("", "", "1-0");
    CHECK("", ".", "none");
    CHECK("hello", "x", "none");
    CHECK("a^b$c", "^b", "none");
    CHECK("a^b$c", "$c", "4-5");
    CHECK("a^b", "a^", "1-2");
    CHECK("a*", "*", "2-2");
    CHECK("a\0b", "\0", "2-2");
    CHECK("a\0b", "a\0.", "1-3");
    CHECK("\xff\x80", "[\x80-\xff]+", "1-2");
}

static void anchors(void **state)
{
    (void)state;
    CHECK("ab", "^a", "1-1");
    CHECK("ab", "^b", "none");
    CHECK("ab", "b$", "2-2");
    CHECK("ab", "a$", "none");
    CHECK("ab", "$", "3-2");
    CHECK("", "^$", "1-0");
    CHECK("", "^", "1-0");
}

static void repetitions(void **state)
{
    (void)state;
    CHECK("baaac", "a+", "2-4");
    CHECK("baaac", "a*", "1-0");
    CHECK("baaac", "ba*c", "1-5");
    CHECK("baaac", "ba-c", "1-5");
    CHECK("baaac", "ba-a", "1-2");
    CHECK("baaac", "ba?a", "1-3");
    CHECK("bac", "ba?a", "1-2");
    CHECK("bac", "bx?a", "1-2");
    CHECK("bac", "x-b", "1-1");
    CHECK("baaac", "x+", "none");
    CHECK("baaac", ".*a", "1-4");
    CHECK("baaac", ".*x", "none");
    CHECK("baaac", "a-x", "none");
    CHECK("baaac", "a+a", "2-4");
    CHECK("baaac", "[ab]*a", "1-4");
    CHECK("baaac", "%a-c", "1-5");
    CHECK("aaa", "a-$", "1-3");
    CHECK("aaa", "b*$", "4-3");
    CHECK("a", "a?a?a", "1-1");
}

static void classes(void **state)
{
    (void)state;
    CHECK("1a", "%a", "2-2");
    CHECK("1a", "%A", "1-1");
    CHECK("a\x01", "%c", "2-2");
    CHECK("a1", "%d", "2-2");
    CHECK(" !", "%g", "2-2");
    CHECK("Ab", "%l", "2-2");
    CHECK("a,", "%p", "2-2");
    CHECK("a\t", "%s", "2-2");
    CHECK("aB", "%u", "2-2");
    CHECK("-z", "%w", "2-2");
    CHECK("gF", "%x", "2-2");
    CHECK("g\0", "%z", "2-2");
    CHECK("ae", "%e", "2-2");
    CHECK("a.", "%.", "2-2");
    CHECK("a{", "%{", "2-2");
    CHECK("ab\xe4", "%A", "3-3");
}

static void sets(void **state)
{
    (void)state;
    CHECK("abc", "[bc]", "2-2");
    CHECK("abc", "[^ab]", "3-3");
    CHECK("abc", "[b-c]+", "2-3");
    CHECK("a-]", "[]]", "3-3");
    CHECK("]a", "[^]]", "2-2");
    CHECK("a-", "[b-]", "2-2");
    CHECK("a-", "[-b]", "2-2");
    CHECK("a9_", "[%d_]+", "2-3");
    CHECK("a]", "[%]]", "2-2");
    CHECK("a-", "[%s-z]", "2-2");
    CHECK("ab+", "[+-%%]", "none"); /* an empty range, then the bracket itself, as in Lua */
    CHECK("]", "[+-%%]", "1-1");
    CHECK("abcdefghij", "[a][b][c][d][e][f][g][h][i][j]", "1-10");
    CHECK("aabb", "[a]*[a][b]*[b][^c]?[d]?$", "1-4");
}

static void captures(void **state)
{
    (void)state;
    CHECK("key = value", "(%w+)%s*=%s*(%w+)", "1-11 key value");
    CHECK("abc", "a()b()", "1-2 @2 @3");
    CHECK("abc", "((a)(b))", "1-2 ab a b");
    CHECK("abc", "(b*)c", "2-3 b");
    CHECK("aab", "(a-)b", "1-3 aa");
    CHECK("aac", "(a*)(a)b?(c)", "1-3 a a c");
    CHECK("ab", "(a", "1-1 open");
    CHECK("ab", "(x)?b", "none");
    CHECK("xaybxa", "(x)(a)$", "5-6 x a");
}

static void special_items(void **state)
{
    (void)state;
    CHECK("f(a(b)c)d", "%b()", "2-8");
    CHECK("f(a(b c", "%b()", "none");
    CHECK("f((a)", "%b()", "3-5");
    CHECK("'a'b", "%b''", "1-3");
    CHECK("", "%b()", "none");
    CHECK("THE (quick) fox", "%f[%a]%a+%f[%A]", "1-3");
    CHECK("a b", "%f[%a]b", "3-3");
    CHECK("ab", "b%f[%z]", "2-2");
    CHECK("ab", "a%f[%z]", "none");
    CHECK("hello", "(l)%1", "3-4 l");
    CHECK("helo", "(l)%1", "none");
    CHECK("abab-abab", "(ab)%1$", "6-9 ab");
    CHECK("abc", "()%1", "none");
    CHECK("abc", "(abc)%1", "none");
}

static void faults_have_lua_s_words(void **state)
{
    (void)state;
    CHECK("a", "%", "malformed pattern (ends with '%')");
    CHECK("a", "a%", "malformed pattern (ends with '%')");
    CHECK("b", "a%", "none"); /* never looked at */
    CHECK("a", "[a", "malformed pattern (missing ']')");
    CHECK("a", "[", "malformed pattern (missing ']')");
    CHECK("a", "[]", "malformed pattern (missing ']')");
    CHECK("a", "[^]", "malformed pattern (missing ']')");
    CHECK("a", "[a%", "malformed pattern (missing ']')");
    CHECK("a", "[a%]", "malformed pattern (missing ']')");
    CHECK("a", "%b", "malformed pattern (missing arguments to '%b')");
    CHECK("a", "%b(", "malformed pattern (missing arguments to '%b')");
    CHECK("a", "%f", "missing '[' after '%f' in pattern");
    CHECK("a", "%fa", "missing '[' after '%f' in pattern");
    CHECK("a", "%f[a", "malformed pattern (missing ']')");
    CHECK("a", ")", "invalid pattern capture");
    CHECK("a", "()a)", "invalid pattern capture");
    CHECK("a", "%1", "invalid capture index %1");
    CHECK("a", "%0", "invalid capture index %0");
    CHECK("a", "(a%1)", "invalid capture index %1");
    CHECK("aaa", "(a)(a)%3", "invalid capture index %3");
}

/* The same bytes many times. */
static struct match_text repeat(char *bytes, const char *unit, size_t count)
{
    size_t len = strlen(unit);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + i * len, unit, len);
    }
    bytes[count * len] = '\0';
    return (struct match_text){bytes, count * len};
}

static void limits_are_lua_s(void **state)
{
    (void)state;
    char bytes[1000];
    char subject[1000];
    char shown[200];
    struct match_text many = repeat(subject, "a", 400);
    check(many, repeat(bytes, "()", MATCH_CAPTURES_MAX + 1), "too many captures");
    check(many, repeat(bytes, "a?", MATCH_CHOICES_MAX), "1-199");
    check(many, repeat(bytes, "a?", MATCH_CHOICES_MAX + 1), "pattern too complex");
    check(many, repeat(bytes, "a*", MATCH_CHOICES_MAX + 1),
          "1-400"); /* the later ones find nothing to choose */
    check(many, repeat(bytes, "a-", MATCH_CHOICES_MAX + 1), "pattern too complex");
    show(many, repeat(bytes, "()", MATCH_CAPTURES_MAX), shown, sizeof(shown));
    assert_memory_equal(shown, "1-0 @1 @1", 9);
    struct match_text pattern = repeat(bytes, "a?", MATCH_CHOICES_MAX);
    bytes[pattern.len] = '(';
    bytes[pattern.len + 1] = ')';
    check(many, (struct match_text){bytes, pattern.len + 2}, "pattern too complex");
    memmove(bytes + 1, bytes, pattern.len);
    bytes[0] = '(';
    bytes[pattern.len - 1] = ')';
    bytes[pattern.len] = ')';
    check(many, (struct match_text){bytes, pattern.len}, "pattern too complex");
    many = repeat(subject, "a,", MATCH_CHOICES_MAX + 1);
    check(many, repeat(bytes, "a+,", MATCH_CHOICES_MAX), "1-398");
    check(many, repeat(bytes, "a+,", MATCH_CHOICES_MAX + 1), "pattern too complex");
}

static enum match_result spend(struct match_text subject, struct match_text pattern, int64_t steps)
{
    struct match match;
    match_init(&match, subject, pattern, steps);
    return match_find(&match, subject.bytes);
}

static void a_pattern_with_too_many_ways_runs_out_of_steps(void **state)
{
    (void)state;
    char subject[100];
    char pattern[200];
    struct match_text many = repeat(subject, "a", 40);
    struct match_text bad = repeat(pattern, "a?", 40);
    memset(pattern + bad.len, 'a', 40);
    bad.len += 40;
    assert_int_equal(spend(many, bad, STEPS), MATCH_OUT_OF_STEPS);
    assert_int_equal(spend(many, repeat(pattern, "a-", 40), STEPS), MATCH_FOUND);
    assert_int_equal(spend(many, TEXT("a*a*a*a*a*a*a*a*b"), STEPS), MATCH_OUT_OF_STEPS);
    assert_int_equal(spend(many, TEXT("a"), 0), MATCH_OUT_OF_STEPS);
    assert_int_equal(spend(many, TEXT("aaa"), 3), MATCH_FOUND);
    assert_int_equal(spend(many, TEXT("a-b"), 20), MATCH_OUT_OF_STEPS);
}

static void the_work_on_a_long_subject_is_bounded(void **state)
{
    (void)state;
    size_t len = (size_t)1 << 20;
    char *bytes = malloc(len + 1);
    assert_non_null(bytes);
    memset(bytes, 'a', len);
    struct match_text subject = {bytes, len};
    assert_int_equal(spend(subject, TEXT("a+"), 2 * (int64_t)len), MATCH_FOUND);
    assert_int_equal(spend(subject, TEXT("a-b"), 8 * (int64_t)len), MATCH_OUT_OF_STEPS);
    assert_int_equal(spend(subject, TEXT("(.-)(.-)(.-)b"), 8 * (int64_t)len), MATCH_OUT_OF_STEPS);
    assert_int_equal(spend(subject, TEXT("%bax"), 8 * (int64_t)len), MATCH_OUT_OF_STEPS);
    assert_int_equal(spend(subject, TEXT("(a*)%1b"), 8 * (int64_t)len), MATCH_OUT_OF_STEPS);
    assert_int_equal(spend(subject, TEXT("b"), 2 * (int64_t)len), MATCH_NONE);
    assert_int_equal(spend(subject, TEXT("[^a]"), 2 * (int64_t)len), MATCH_NONE);
    free(bytes);
}

static void no_match_ends_where_the_one_before_did(void **state)
{
    (void)state;
    struct match match;
    struct match_text subject = TEXT("ab,c");
    static const ptrdiff_t wanted[][2] = {{0, 2}, {3, 4}};
    match_init(&match, subject, TEXT("%a*"), STEPS);
    match.end = subject.bytes;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(match_find(&match, match.end), MATCH_FOUND);
        assert_int_equal(match.start - subject.bytes, wanted[i][0]);
        assert_int_equal(match.end - subject.bytes, wanted[i][1]);
        match.last_end = match.end;
    }
    assert_int_equal(match_find(&match, match.end), MATCH_NONE);
}

static void a_match_goes_on_after_a_fault(void **state)
{
    (void)state;
    struct match match;
    struct match_text subject = TEXT("ab");
    match_init(&match, subject, TEXT("a[b"), STEPS);
    assert_int_equal(match_find(&match, subject.bytes), MATCH_MALFORMED);
    assert_int_equal(match_find(&match, subject.bytes), MATCH_MALFORMED);
    assert_int_equal(match_find(&match, subject.bytes + 1), MATCH_NONE);
    match.steps = 0;
    assert_int_equal(match_find(&match, subject.bytes), MATCH_OUT_OF_STEPS);
    char text[8];
    match_describe(&match, text, sizeof(text));
    assert_string_equal(text, "");
}

static void special_characters(void **state)
{
    (void)state;
    static const char special[] = "^$*+?.([%-";
    for (int code = 0; code < 256; code++) {
        char text[] = {'a', (char)code};
        bool wanted = code != 0 && strchr(special, code) != NULL;
        assert_int_equal(match_is_special((struct match_text){text, 2}), wanted);
    }
    assert_false(match_is_special(TEXT("")));
}

static void plain_text_is_found_anywhere(void **state)
{
    (void)state;
    char subject[400];
    struct match_text many = repeat(subject, "ab", 100);
    subject[180] = 'c';
    assert_ptr_equal(match_find_plain(many, 0, TEXT("")), subject);
    assert_ptr_equal(match_find_plain(many, 200, TEXT("")), subject + 200);
    assert_null(match_find_plain(many, 200, TEXT("a")));
    assert_ptr_equal(match_find_plain(many, 1, TEXT("a")), subject + 2);
    assert_ptr_equal(match_find_plain(many, 0, TEXT("bcb")), subject + 179);
    assert_ptr_equal(match_find_plain(many, 179, TEXT("bcb")), subject + 179);
    assert_ptr_equal(match_find_plain(many, 180, TEXT("abab")), subject + 182);
    assert_null(match_find_plain(many, 180, TEXT("bcb")));
    assert_null(match_find_plain(many, 0, TEXT("abb")));
    assert_null(match_find_plain(many, 0, TEXT("x")));
    assert_null(match_find_plain(many, 198, TEXT("aba")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_any_byte),
        cmocka_unit_test(anchors),
        cmocka_unit_test(repetitions),
        cmocka_unit_test(classes),
        cmocka_unit_test(sets),
        cmocka_unit_test(captures),
        cmocka_unit_test(special_items),
        cmocka_unit_test(faults_have_lua_s_words),
        cmocka_unit_test(limits_are_lua_s),
        cmocka_unit_test(a_pattern_with_too_many_ways_runs_out_of_steps),
        cmocka_unit_test(the_work_on_a_long_subject_is_bounded),
        cmocka_unit_test(no_match_ends_where_the_one_before_did),
        cmocka_unit_test(a_match_goes_on_after_a_fault),
        cmocka_unit_test(special_characters),
        cmocka_unit_test(plain_text_is_found_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
