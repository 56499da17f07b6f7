#include "daemon/conf/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/conf/source.h"
#include "test/support/problems.h"

/* A text, its tree (NULL when refused) and the problems. */
struct reading {
    struct source *source;
    struct yaml_node *root;
    struct problem_list list;
};

static void reading_init(struct reading *reading, const char *text, size_t len)
{
    problem_list_init(&reading->list);
    reading->source = source_new("t.yaml", text, len);
    reading->root = yaml_read(reading->source, &reading->list);
    /* Exactly one of the two: a tree or a reason. */
    assert_true((reading->root == NULL) == (reading->list.errors > 0));
}

static void reading_fini(struct reading *reading)
{
    yaml_node_free(reading->root);
    source_free(reading->source);
    problem_list_fini(&reading->list);
}

static void every_key_and_value_knows_its_place(void **state)
{
    static const char text[] = "# comment\n"
                               "one: 1\n"
                               "two:\n"
                               "  list: [a, 'b c',\n"
                               "    \xc3\xa4, d]\n"
                               "  \"three\": |\n"
                               "    text\n";
    struct reading reading;

    (void)state;
    reading_init(&reading, text, strlen(text));
    const struct yaml_node *one = yaml_find(reading.root, "one");
    assert_int_equal(one->key_place.line, 2);
    assert_int_equal(one->key_place.column, 1);
    assert_int_equal(one->key_place.end_column, 4);
    assert_int_equal(one->place.column, 6);
    assert_int_equal(one->place.end_column, 7);
    assert_true(one->is_plain && one->is_key_plain);
    const struct yaml_node *list = yaml_find(yaml_find(reading.root, "two"), "list");
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->child_count, 4);
    assert_int_equal(list->place.line, 4);
    assert_int_equal(list->place.column, 9);
    const struct yaml_node *quoted = list->child->next;
    assert_string_equal(quoted->text, "b c");
    assert_false(quoted->is_plain);
    assert_int_equal(quoted->place.column, 13);
    assert_int_equal(quoted->place.end_column, 18);
    /* The umlaut has two bytes; columns count bytes. */
    const struct yaml_node *last = quoted->next->next;
    assert_int_equal(last->place.line, 5);
    assert_int_equal(last->place.column, 9);
    const struct yaml_node *three = yaml_find(yaml_find(reading.root, "two"), "three");
    assert_string_equal(three->text, "text\n");
    assert_false(three->is_plain || three->is_key_plain);
    assert_int_equal(three->key_place.line, 6);
    reading_fini(&reading);
}

static void json_is_yaml(void **state)
{
    static const char text[] = "{\"a\":\t{\"b\": [1, true, null, \"x\\/\\u00e9\"]}}";
    struct reading reading;

    (void)state;
    reading_init(&reading, text, strlen(text));
    const struct yaml_node *list = yaml_find(yaml_find(reading.root, "a"), "b");
    assert_int_equal(list->child_count, 4);
    assert_string_equal(list->last->text, "x/\xc3\xa9");
    reading_fini(&reading);
}

static void texts_without_a_value_are_empty_maps(void **state)
{
    static const char *const texts[] = {
        "", "\n\n", "# only a comment\n", "---\n", "--- ~\n", "\xef\xbb\xbf", "{}", "---\n...\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct reading reading;
        reading_init(&reading, texts[i], strlen(texts[i]));
        assert_non_null(reading.root);
        assert_int_equal(reading.root->kind, YAML_MAP);
        assert_int_equal(reading.root->child_count, 0);
        reading_fini(&reading);
    }
}

static void aliases_repeat_a_value(void **state)
{
    static const char text[] = "a: &x {k: [1, 'two']}\nb: *x\nc: &x 3\nd: *x\n";
    struct reading reading;

    (void)state;
    reading_init(&reading, text, strlen(text));
    const struct yaml_node *copy = yaml_find(yaml_find(reading.root, "b"), "k");
    assert_int_equal(copy->child_count, 2);
    assert_string_equal(copy->last->text, "two");
    assert_false(copy->last->is_plain);
    assert_int_equal(copy->last->place.line, 1);
    assert_int_equal(yaml_find(reading.root, "b")->key_place.line, 2);
    assert_string_equal(yaml_find(reading.root, "d")->text, "3");
    reading_fini(&reading);
}

static void what_is_refused_is_explained_at_its_place(void **state)
{
    static const char *const rows[][2] = {
        {"a: 1\nb: 2\na: 3\n",
         "t.yaml:3:1: error: duplicate key \"a\", first written at t.yaml:1:1\n"},
        {"x: {k: 1, \"k\": 2}",
         "t.yaml:1:11: error: duplicate key \"k\", first written at t.yaml:1:5"},
        {"a: !!str 1\n", "t.yaml:1:4: error: tags are not supported\n"},
        {"a: !include x.yaml\n", "t.yaml:1:4: error: tags are not supported\n"},
        {"a: !!map {}\n", "t.yaml:1:4: error: tags are not supported\n"},
        {"a: !!seq []\n", "t.yaml:1:4: error: tags are not supported\n"},
        {"!!str a: 1\n", "t.yaml:1:1: error: tags are not supported\n"},
        {"a: &b {x: 1}\nc:\n  <<: *b\n",
         "t.yaml:3:3: error: merge keys (\"<<\") are not supported\n"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2:1: error: the file has more than one document\n"},
        {"a: 1\n...\n---\n", "t.yaml:3:1: error: the file has more than one document\n"},
        {"a: *b\n", "t.yaml:1:4: error: the alias \"*b\" has no complete \"&b\" before it\n"},
        {"a: &b [*b]\n", "t.yaml:1:8: error: the alias \"*b\" has no complete \"&b\" before it\n"},
        {"? [a]\n: 1\n", "t.yaml:1:3: error: a key must be a word\n"},
        {"a: &x y\n*x : 1\n", "t.yaml:2:1: error: a key must be a word\n"},
        {"'': 1\n", "t.yaml:1:1: error: a key must be a word\n"},
        {"\"a\\0b\": 1\n", "t.yaml:1:1: error: a key must be a word\n"},
        {"- a\n", "t.yaml:1:1: error: the file must be a map of sections such as \"pools:\"\n"},
        {"text", "t.yaml:1:1: error: the file must be a map of sections such as \"pools:\"\n"},
        {"a:\n\tb: 1\n", "t.yaml:2:1: error: a tab cannot indent a line\n"},
        {"a:\n\tb: 1\n", "| ^ use spaces\n"},
        {"a: @home\n", "t.yaml:1:4: error: a value cannot begin with \"@\"\n"},
        {"a: [1, 2\nb: 3\n", "t.yaml:2:2: error: did not find expected ',' or ']', while parsing a "
                             "flow sequence that began at 1:4\n"},
        {"a: \"open\n", "while scanning a quoted scalar that began at 1:4\n"},
        {"a: {b: ${ENV:X}}\n", "put \"${...}\" into quotes inside { } and [ ]\n"},
        {"a: b: c\n", "t.yaml:1:5: error: mapping values are not allowed in this context\n"},
        {"a: 1\nb: \xff\n", "t.yaml:2:4: error: the text must be UTF-8: "},
        {"a: 1\nb: \x01\n", "t.yaml:2:4: error: the text must be UTF-8: control characters"},
        {"\xff\xfe"
         "a\0",
         "t.yaml:1:1: error: the text must be UTF-8: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reading reading;
        reading_init(&reading, rows[i][0], strlen(rows[i][0]));
        assert_null(reading.root);
        assert_int_equal(reading.list.count, 1);
        problems_assert_contains(&reading.list, rows[i][1]);
        reading_fini(&reading);
    }
}

/* part count times, each with its number for "#", between head and tail; the caller frees it. */
static char *repeat(const char *head, const char *part, size_t count, const char *tail)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)fputs(head, out);
    for (size_t i = 0; i < count; i++) {
        int before = (int)strcspn(part, "#");
        if (part[before] == '#') {
            (void)fprintf(out, "%.*s%zu%s", before, part, i, part + before + 1);
        } else {
            (void)fputs(part, out);
        }
    }
    (void)fputs(tail, out);
    (void)fclose(out);
    return text;
}

static void limits_hold_at_their_edge(void **state)
{
    static const struct {
        const char *head;
        const char *part;
        size_t allowed;
        const char *tail;
        const char *message;
    } rows[] = {
        {"a: ", "[", YAML_DEPTH_MAX, "", "nested more than 32 levels deep"},
        {"a: &x 1\nb: [", "*x,", YAML_ALIASES_MAX, "]\n", "more than 1000 aliases"},
        {"a: [", "&x# 1,", YAML_ALIASES_MAX, "]\n", "more than 1000 anchors"},
        {"a: {", "k#: 1,", YAML_KEYS_MAX, "}\n", "a map has more than 4096 keys"},
        /* the root and the list are values, too */
        {"a: [", "1,", YAML_NODES_MAX - 2, "]\n", "more than 65536 values"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t more = 0; more <= 1; more++) {
            struct reading reading;
            char *text = repeat(rows[i].head, rows[i].part, rows[i].allowed + more, rows[i].tail);
            if (i == 0) {
                /* brackets must be closed to be allowed */
                char *closed = repeat(text, "]", rows[i].allowed + more, "\n");
                free(text);
                text = closed;
            }
            reading_init(&reading, text, strlen(text));
            if (more == 0) {
                problems_assert_none(&reading.list);
            } else {
                problems_assert_contains(&reading.list, rows[i].message);
            }
            reading_fini(&reading);
            free(text);
        }
    }
}

/* 0.9 MiB in one line: who counts from its start for each value takes minutes. */
static void the_places_in_a_long_line_are_found(void **state)
{
    enum { COUNT = YAML_NODES_MAX - 2, PART = 14 };
    char *text = repeat("a: [", "\xc3\xa4\xc3\xb6\xc3\xbc\xe2\x82\xac\xe2\x82\xac, ", COUNT, "]\n");
    struct reading reading;
    unsigned column = 5;

    (void)state;
    reading_init(&reading, text, strlen(text));
    problems_assert_none(&reading.list);
    const struct yaml_node *item = yaml_find(reading.root, "a")->child;
    for (; item != NULL; item = item->next) {
        assert_int_equal(item->place.line, 1);
        assert_int_equal(item->place.column, column);
        assert_int_equal(item->place.end_column, column + PART - 2);
        column += PART;
    }
    assert_int_equal(column, 5 + COUNT * PART);
    reading_fini(&reading);
    free(text);
}

static void a_billion_laughs_are_refused(void **state)
{
    struct reading reading;
    char *text = repeat("l0: &l0 [ha,ha,ha,ha,ha,ha,ha,ha,ha]\n", "", 0, "");

    (void)state;
    for (int i = 1; i < 10; i++) {
        char part[128];
        (void)snprintf(part, sizeof(part), "l%d: &l%d [*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d]\n",
                       i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        char *longer = repeat(text, "", 0, part);
        free(text);
        text = longer;
    }
    reading_init(&reading, text, strlen(text));
    assert_null(reading.root);
    problems_assert_contains(&reading.list, "the file has more than 65536 values");
    reading_fini(&reading);
    free(text);
}

static void only_plain_words_mean_nothing(void **state)
{
    static const struct {
        const char *text;
        bool is_null;
    } rows[] = {
        {"a:", true},       {"a: ~", true},     {"a: null", true}, {"a: Null", true},
        {"a: NULL", true},  {"a: nULL", false}, {"a: ''", false},  {"a: 'null'", false},
        {"a: none", false}, {"a: {}", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reading reading;
        reading_init(&reading, rows[i].text, strlen(rows[i].text));
        assert_int_equal(yaml_is_null(yaml_find(reading.root, "a")), rows[i].is_null);
        reading_fini(&reading);
    }
}

static void find_copes_with_what_is_no_map(void **state)
{
    struct reading reading;

    (void)state;
    reading_init(&reading, "a: [1]", 6);
    assert_null(yaml_find(NULL, "a"));
    assert_null(yaml_find(yaml_find(reading.root, "a"), "a"));
    assert_null(yaml_find(reading.root, "b"));
    reading_fini(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_and_value_knows_its_place),
        cmocka_unit_test(json_is_yaml),
        cmocka_unit_test(texts_without_a_value_are_empty_maps),
        cmocka_unit_test(aliases_repeat_a_value),
        cmocka_unit_test(what_is_refused_is_explained_at_its_place),
        cmocka_unit_test(limits_hold_at_their_edge),
        cmocka_unit_test(the_places_in_a_long_line_are_found),
        cmocka_unit_test(a_billion_laughs_are_refused),
        cmocka_unit_test(only_plain_words_mean_nothing),
        cmocka_unit_test(find_copes_with_what_is_no_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
