#include "worker/http/quick_print.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOM = 256 };

/* As libraries come to it: the compiler knows nothing of the call. */
static int (*const volatile called)(char *text, int flag, size_t size, const char *format,
                                    ...) = __sprintf_chk;

__attribute__((format(printf, 2, 3))) static int print(char *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = quick_print(text, format, args);
    va_end(args);
    return len;
}

/* Both print the same, and this one needs nobody for it. */
#define assert_printed(...)                                                                        \
    do {                                                                                           \
        char got[ROOM];                                                                            \
        char wanted[ROOM];                                                                         \
        int len = snprintf(wanted, ROOM, __VA_ARGS__);                                             \
        assert_int_equal(print(got, __VA_ARGS__), len);                                            \
        assert_string_equal(got, wanted);                                                          \
    } while (0)

static void texts_and_numbers_are_printed_as_the_c_library_does(void **state)
{
    (void)state;
    char empty[ROOM];
    assert_int_equal(print(empty, "%s", ""), 0);
    assert_string_equal(empty, "");
    assert_printed("no marks");
    assert_printed("%s", "a text");
    assert_printed("a %s and %s.", "text", "another");
    assert_printed("%d%d", 0, 7);
    assert_printed("%d, %d and %d", INT_MAX, INT_MIN, -1);
    assert_printed("%zu %zu %zu", (size_t)0, (size_t)1234567890, SIZE_MAX);
    assert_printed("%zu%s", (size_t)10, "%d");
}

static void heads_are_printed_as_libh2o_asks_for_them(void **state)
{
    (void)state;
    assert_printed("HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: %s\r\nContent-Length: %zu\r\n", 200,
                   "OK", "Sun, 22 Nov 2026 19:00:00 GMT", "keep-alive", (size_t)13);
}

static void other_marks_are_left_to_the_c_library(void **state)
{
    (void)state;
    char text[ROOM];
    assert_int_equal(print(text, "%d %%", 1), -1);
    assert_int_equal(print(text, "%5d", 1), -1);
    assert_int_equal(print(text, "%ld", 1L), -1);
    assert_int_equal(print(text, "%zd", (ssize_t)1), -1);
    assert_int_equal(print(text, "%.*s", 1, "ab"), -1);
    const char *volatile missing = NULL;
    assert_int_equal(print(text, "%s", missing), -1);
}

static void what_is_left_to_the_c_library_is_printed_from_the_beginning(void **state)
{
    (void)state;
    char text[ROOM];
    assert_int_equal(called(text, 1, SIZE_MAX, "%d %s %5.2f%%", 12, "and", 3.5), 13);
    assert_string_equal(text, "12 and  3.50%");
    assert_int_equal(called(text, 1, SIZE_MAX, "%s=%zu", "n", (size_t)1), 3);
    assert_string_equal(text, "n=1");
}

static void a_text_that_fits_its_known_room_is_printed(void **state)
{
    (void)state;
    char text[8];
    assert_int_equal(called(text, 1, sizeof(text), "%s%d", "abc", 1234), 7);
    assert_string_equal(text, "abc1234");
}

/* As with _FORTIFY_SOURCE anywhere. */
static void a_text_that_does_not_fit_its_known_room_ends_the_process(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its own vsprintf stands behind ours, and looks at the memory only */
#endif
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char text[64];
        (void)close(STDERR_FILENO); /* where the C library tells of it */
        (void)called(text, 1, 4, "%s%d", "abc", 1234);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_numbers_are_printed_as_the_c_library_does),
        cmocka_unit_test(heads_are_printed_as_libh2o_asks_for_them),
        cmocka_unit_test(other_marks_are_left_to_the_c_library),
        cmocka_unit_test(what_is_left_to_the_c_library_is_printed_from_the_beginning),
        cmocka_unit_test(a_text_that_fits_its_known_room_is_printed),
        cmocka_unit_test(a_text_that_does_not_fit_its_known_room_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
