#include "daemon/conf/refs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"
#include "test/support/problems.h"

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Every test runs in a new folder with some secrets in it. */
static int set_up(void **state)
{
    char folder[] = "/tmp/fsd-refs-XXXXXX";
    char *big = calloc(1, REFS_FILE_MAX + 1);

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("creds", 0700), 0);
    write_file("secret", "s3cret\n", 7);
    write_file("lines", "a\nb\n\n", 5);
    write_file("literal", "${ENV:SET}", 10);
    write_file("creds/stripe", "sk_1", 4);
    write_file("nul", "a\0b", 3);
    assert_non_null(big);
    memset(big, 'x', REFS_FILE_MAX + 1);
    write_file("full", big, REFS_FILE_MAX);
    write_file("big", big, REFS_FILE_MAX + 1);
    free(big);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(setenv("SET", "value", 1), 0);
    assert_int_equal(setenv("EMPTY", "", 1), 0);
    assert_int_equal(unsetenv("UNSET"), 0);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "creds", 1), 0);
    *state = strdup(folder);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"secret", "lines", "literal", "creds/stripe",
                                        "nul",    "full",  "big",     "fifo"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)unlink(files[i]);
    }
    (void)rmdir("creds");
    (void)rmdir(*state);
    free(*state);
    return 0;
}

/* A text with its tree after the references were replaced. */
struct resolved {
    struct source *source;
    struct yaml_node *root;
    struct problem_list list;
};

static void resolved_init(struct resolved *resolved, const char *text)
{
    problem_list_init(&resolved->list);
    resolved->source = source_new("t.yaml", text, strlen(text));
    resolved->root = yaml_read(resolved->source, &resolved->list);
    assert_non_null(resolved->root);
    refs_resolve(resolved->root, &resolved->list);
}

static void resolved_fini(struct resolved *resolved)
{
    yaml_node_free(resolved->root);
    source_free(resolved->source);
    problem_list_fini(&resolved->list);
}

static void references_become_what_they_name(void **state)
{
    static const char *const rows[][2] = {
        {"a: ${ENV:SET}", "value"},
        {"a: \"x${ENV:SET}y${ENV:SET}\"", "xvaluey"
                                          "value"},
        {"a: ${ENV:EMPTY}", ""},
        {"a: ${ENV:UNSET:-other}", "other"},
        {"a: ${ENV:EMPTY:-other}", "other"},
        {"a: ${ENV:SET:-other}", "value"},
        {"a: ${ENV:UNSET:-}", ""},
        {"a: \"${ENV:UNSET:-a:-b c}\"", "a:-b c"},
        {"a: ${FILE:secret}", "s3cret"},
        {"a: ${FILE:./creds/../secret}", "s3cret"},
        {"a: ${FILE:lines}", "a\nb\n"},
        {"a: ${FILE:literal}", "${ENV:SET}"},
        {"a: ${CRED:stripe}", "sk_1"},
        {"a: $${ENV:SET}", "${ENV:SET}"},
        {"a: $$${ENV:SET}", "$${ENV:SET}"},
        {"a: 100$ and $$", "100$ and $$"},
        {"a: $", "$"},
        {"a: |\n  one ${ENV:SET}\n  two\n", "one value\ntwo\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct resolved resolved;
        resolved_init(&resolved, rows[i][0]);
        problems_assert_none(&resolved.list);
        assert_string_equal(yaml_find(resolved.root, "a")->text, rows[i][1]);
        assert_int_equal(yaml_find(resolved.root, "a")->len, strlen(rows[i][1]));
        resolved_fini(&resolved);
    }
}

static void a_value_from_a_reference_is_text_and_stays_hidden(void **state)
{
    struct resolved resolved;

    (void)state;
    resolved_init(&resolved, "a: ${ENV:UNSET:-null}\nb: null\nc: [{d: \"${ENV:SET}\"}]\n");
    const struct yaml_node *a = yaml_find(resolved.root, "a");
    assert_true(a->is_expanded && !a->is_plain && !a->is_broken);
    assert_false(yaml_find(resolved.root, "b")->is_expanded);
    const struct yaml_node *item = yaml_find(resolved.root, "c")->child;
    assert_string_equal(yaml_find(item, "d")->text, "value");
    resolved_fini(&resolved);
}

static void keys_are_left_alone(void **state)
{
    struct resolved resolved;

    (void)state;
    resolved_init(&resolved, "\"${ENV:UNSET}\": 1\n");
    problems_assert_none(&resolved.list);
    assert_non_null(yaml_find(resolved.root, "${ENV:UNSET}"));
    resolved_fini(&resolved);
}

static void broken_references_are_reported_where_they_stand(void **state)
{
    static const char *const rows[][2] = {
        {"a: ${ENV:UNSET}", "t.yaml:1:4: error: the environment variable \"UNSET\" is not set\n"
                            "    1 | a: ${ENV:UNSET}\n      |    ^~~~~~~~~~~~\n"},
        {"a: \"xy${ENV:UNSET}\"", "t.yaml:1:7: error: the environment variable \"UNSET\""},
        /* behind an escape the place in the line is not known: the value is marked */
        {"a: \"\\t${ENV:UNSET}\"", "t.yaml:1:4: error: the environment variable \"UNSET\""},
        {"a: ${FILE:nowhere}", "/nowhere\": No such file or directory\n"},
        {"a: ${FILE:creds}", "/creds\": it is a folder, not a regular file\n"},
        {"a: ${FILE:fifo}", "/fifo\": it is a device, pipe or socket, not a regular file\n"},
        {"a: ${FILE:big}", "/big\": it has more than 65536 bytes\n"},
        {"a: ${FILE:nul}", "/nul\": it has a NUL byte\n"},
        {"a: ${FILE:}", "not a regular file\n"},
        {"a: ${CRED:nowhere}", "cannot read \"creds/nowhere\": No such file or directory\n"},
        {"a: ${CRED:../secret}",
         "t.yaml:1:4: error: \"../secret\" is not the name of a credential\n"},
        {"a: ${CRED:}", "t.yaml:1:4: error: \"\" is not the name of a credential\n"},
        {"a: ${SET}", "t.yaml:1:4: error: unknown kind of reference\n"},
        {"a: ${SET}", "did you mean \"${ENV:SET}\"?\n"},
        {"a: ${files:x}", "did you mean \"FILE\"?\n"},
        {"a: ${env:SET}", "did you mean \"ENV\"?\n"},
        {"a: ${VAULT:x}", "there are ENV, FILE and CRED; a literal \"${\" is \"$${\"\n"},
        {"a: ${}", "t.yaml:1:4: error: unknown kind of reference\n"},
        {"a: x${ENV:SET", "t.yaml:1:5: error: the reference has no \"}\"\n"},
        {"a: ${ENV:UNSET:-${ENV:SET}}",
         "t.yaml:1:4: error: a reference cannot stand inside a reference\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct resolved resolved;
        resolved_init(&resolved, rows[i][0]);
        assert_int_equal(resolved.list.errors, 1);
        assert_true(yaml_find(resolved.root, "a")->is_broken);
        problems_assert_contains(&resolved.list, rows[i][1]);
        resolved_fini(&resolved);
    }
}

static void every_broken_reference_of_a_value_is_reported(void **state)
{
    struct resolved resolved;

    (void)state;
    resolved_init(&resolved, "a: ${ENV:UNSET} ${CRED:no} ${ENV:SET}\nb: ${X}\n");
    assert_int_equal(resolved.list.errors, 3);
    problems_assert_contains(&resolved.list, "t.yaml:1:17: error: cannot read \"creds/no\"");
    resolved_fini(&resolved);
}

static void without_credentials_the_service_is_named(void **state)
{
    struct resolved resolved;

    (void)state;
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    resolved_init(&resolved, "a: ${CRED:stripe}");
    problems_assert_contains(&resolved.list, "the service has no credentials "
                                             "(CREDENTIALS_DIRECTORY is not set)\n");
    resolved_fini(&resolved);
}

static void a_value_has_a_limit(void **state)
{
    struct resolved resolved;
    char text[1024] = "a: ";

    (void)state;
    for (int i = 0; i < 17; i++) {
        strcat(text, "${FILE:full}");
        resolved_init(&resolved, text);
        if (i < 16) {
            problems_assert_none(&resolved.list);
        } else {
            problems_assert_contains(&resolved.list, "the value has more than 1 MiB");
        }
        resolved_fini(&resolved);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(references_become_what_they_name),
        TEST(a_value_from_a_reference_is_text_and_stays_hidden),
        TEST(keys_are_left_alone),
        TEST(broken_references_are_reported_where_they_stand),
        TEST(every_broken_reference_of_a_value_is_reported),
        TEST(without_credentials_the_service_is_named),
        TEST(a_value_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
