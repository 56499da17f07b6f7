#include "daemon/conf/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/bound.h"

/* The whole file; the caller frees it. */
static char *read_file(const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = fopen(path, "r"); /* tests run at the top of the checkout */

    assert_non_null(file);
    assert_true(getdelim(&text, &len, '\0', file) > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void the_shipped_file_is_the_example(void **state)
{
    char *example = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&example, &len);

    (void)state;
    schema_print_example(out);
    assert_int_equal(fclose(out), 0);
    char *shipped = read_file("conf/fsd.yaml");
    assert_string_equal(shipped, example);
    free(shipped);
    free(example);
}

static void the_manual_names_every_key_with_its_default(void **state)
{
    size_t count = 0;
    const struct schema_row *rows = schema_rows(&count);
    char *manual = read_file("docs/ops/config.md");

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char row[256] = "\n| `";
        if (rows[i].kind == SCHEMA_SECTION || rows[i].kind == SCHEMA_ENTRIES) {
            continue;
        }
        for (const char *at = rows[i].section; *at != '\0'; at++) {
            (void)snprintf(row + strlen(row), 8, "%.*s", *at == '*' ? 4 : 1,
                           *at == '*' ? "NAME" : at);
        }
        (void)snprintf(row + strlen(row), 64, "%s%s` |", rows[i].section[0] == '\0' ? "" : ".",
                       rows[i].name);
        char *line = strstr(manual, row);
        if (line == NULL) {
            print_error("not in the manual:%s\n", row);
        }
        assert_non_null(line);
        line[1 + strcspn(line + 1, "\n")] = '\0';
        if (rows[i].initial != NULL) {
            (void)snprintf(row, sizeof(row), "| `%s` |", rows[i].initial);
            assert_non_null(strstr(line + 1, row));
        } else {
            assert_non_null(strstr(line + 1, "| must be written |"));
        }
        line[1 + strlen(line + 1)] = '\n';
    }
    free(manual);
}

static void the_complete_example_of_the_manual_is_right(void **state)
{
    struct bound bound;
    char *manual = read_file("docs/ops/config.md");
    char *start = strstr(manual, "```yaml\n");

    (void)state;
    assert_non_null(start);
    start += strlen("```yaml\n");
    char *end = strstr(start, "```");
    assert_non_null(end);
    *end = '\0';
    bound_init(&bound, start);
    problems_assert_none(&bound.list);
    assert_int_equal(bound.conf->pool_count, 2);
    bound_fini(&bound);
    free(manual);
}

/* Removing the "#" before every key must change nothing but be accepted. */
static void every_commented_key_of_the_example_is_right(void **state)
{
    char *example = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&example, &len);
    struct bound bound;

    (void)state;
    schema_print_example(out);
    (void)fclose(out);
    for (char *at = example; (at = strchr(at, '#')) != NULL; at++) {
        bool is_key = at[1] != ' ' && at[1] != '"';
        if (is_key) {
            memmove(at, at + 1, strlen(at));
        }
    }
    bound_init(&bound, example);
    problems_assert_none(&bound.list);
    size_t count = 0;
    const struct schema_row *rows = schema_rows(&count);
    for (size_t i = 0; i < count; i++) {
        char key[64];
        (void)snprintf(key, sizeof(key), "%s:", rows[i].name);
        assert_non_null(strstr(example, key));
    }
    bound_fini(&bound);
    free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_file_is_the_example),
        cmocka_unit_test(the_manual_names_every_key_with_its_default),
        cmocka_unit_test(the_complete_example_of_the_manual_is_right),
        cmocka_unit_test(every_commented_key_of_the_example_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
