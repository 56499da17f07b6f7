/*
 * schema_section.c - what can be wrong with the keys of a section, in words.
 *
 * Owns the sentences.  Each names the key with its whole path, says what was expected in the words
 * of the row, and where a person probably meant something else, says that as well.  A value that
 * came from a reference is never shown: it may be a secret.
 *
 * Called by schema.c and schema_names.c, which decide when.  Must not write to struct conf.
 */
#include "daemon/conf/schema_section.h"

#include <stdio.h>
#include <string.h>

#include "common/access_format.h"
#include "common/address.h"
#include "common/err.h"
#include "common/nearest.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_value.h"
#include "daemon/conf/schema_words.h"
#include "daemon/conf/yaml.h"

enum { KEYS_MAX = 32 }; /* in one section */

void schema_section_label(const struct schema_section *section, const char *name,
                          char label[SCHEMA_LABEL_MAX])
{
    (void)snprintf(label, SCHEMA_LABEL_MAX, "%s%s%s", section->label,
                   section->label[0] == '\0' ? "" : ".", name);
}

void schema_section_value_label(const struct schema_section *section, const struct yaml_node *value,
                                char label[SCHEMA_LABEL_MAX])
{
    if (value->key == NULL) {
        (void)snprintf(label, SCHEMA_LABEL_MAX, "%s", section->label);
    } else {
        schema_section_label(section, value->key, label);
    }
}

/* The names of the keys of a section. */
static size_t list_keys(const char *pattern, const char *keys[KEYS_MAX])
{
    size_t row_count = 0;
    size_t count = 0;
    const struct schema_row *rows = schema_rows(&row_count);

    for (size_t i = 0; i < row_count && count < KEYS_MAX; i++) {
        if (strcmp(rows[i].section, pattern) == 0) {
            keys[count++] = rows[i].name;
        }
    }
    return count;
}

static void hint_known_keys(struct problem *problem, const char *const *keys, size_t count)
{
    char text[PROBLEM_HINT_MAX] = "";
    size_t len = 0;

    for (size_t i = 0; i < count && len < sizeof(text); i++) {
        int more = snprintf(text + len, sizeof(text) - len, "%s%s", i == 0 ? "" : ", ", keys[i]);
        len += more > 0 ? (size_t)more : 0;
    }
    problem_hint(problem, "there are: %s", text);
}

void schema_section_refuse_key(const struct schema_section *section, const struct yaml_node *child)
{
    const char *keys[KEYS_MAX];
    size_t count = list_keys(section->pattern, keys);
    bool is_top = section->label[0] == '\0';
    struct problem *problem =
        problem_add(section->list, PROBLEM_ERROR, &child->key_place, "unknown key \"%s\" %s%s",
                    child->key, is_top ? "at the top of the file" : "in ", section->label);
    const char *near = nearest_find(child->key, keys, count);

    if (near != NULL) {
        problem_hint(problem, "did you mean \"%s\"?", near);
    } else {
        hint_known_keys(problem, keys, count);
    }
}

/* "10MB": a thousand or 1024, that is the question. */
static bool is_decimal_unit(const char *text)
{
    const char *unit = text + strspn(text, "0123456789");

    return unit != text &&
           (strcmp(unit, "KB") == 0 || strcmp(unit, "MB") == 0 || strcmp(unit, "GB") == 0);
}

/* What to write instead of a text that the row does not accept. */
static void hint_log_access(struct problem *problem, const struct yaml_node *value)
{
    struct access_format format;
    struct fsd_err err;

    if (access_format_parse(&format, value->text, &err) < 0) {
        problem_hint(problem, "%s", err.text);
    }
}

static void hint_proxies(struct problem *problem, const struct yaml_node *value)
{
    struct address_trust trust;
    struct fsd_err err;

    if (address_trust_parse(value->text, value->len, &trust, &err) < 0) {
        problem_hint(problem, "%s", err.text);
    }
}

static void hint_value(struct problem *problem, const struct schema_row *row,
                       const struct yaml_node *value)
{
    const char *words[SCHEMA_WORDS_MAX];
    size_t count = schema_words_list(row->kind, words);
    const char *near = nearest_find(value->text, words, count);
    bool is_number = value->len > 0 && strspn(value->text, "0123456789") == value->len;

    if (near != NULL) {
        problem_hint(problem, "did you mean \"%s\"?", near);
    } else if ((row->kind == SCHEMA_DURATION || row->kind == SCHEMA_SHUTDOWN) && is_number) {
        problem_hint(problem, "say the unit: \"%ss\" or \"%sms\"?", value->text, value->text);
    } else if (row->kind == SCHEMA_SIZE && is_decimal_unit(value->text)) {
        int digits = (int)strspn(value->text, "0123456789");
        problem_hint(problem, "did you mean \"%.*s%ciB\"?", digits, value->text,
                     value->text[digits]);
    } else if (row->kind == SCHEMA_ADDRESS && is_number) {
        problem_hint(problem, "did you mean \":%s\"?", value->text);
    } else if (row->kind == SCHEMA_PROXIES) {
        hint_proxies(problem, value);
    } else if (row->kind == SCHEMA_LOG_ACCESS) {
        hint_log_access(problem, value);
    }
}

void schema_section_refuse_value(const struct schema_section *section, const struct schema_row *row,
                                 const struct yaml_node *value)
{
    char label[SCHEMA_LABEL_MAX];
    char expected[SCHEMA_EXPECTED_MAX];

    schema_section_label(section, row->name, label);
    schema_value_describe(row, expected);
    if (value->is_expanded) {
        (void)problem_add(section->list, PROBLEM_ERROR, &value->place,
                          "%s must be %s, the reference gives something else", label, expected);
        return;
    }
    hint_value(problem_add(section->list, PROBLEM_ERROR, &value->place, "%s must be %s, got \"%s\"",
                           label, expected, value->text),
               row, value);
}

void schema_section_refuse_missing(const struct schema_section *section,
                                   const struct schema_row *row)
{
    char expected[SCHEMA_EXPECTED_MAX];

    schema_value_describe(row, expected);
    problem_hint(problem_add(section->list, PROBLEM_ERROR, &section->place,
                             "%s needs the key \"%s\"", section->label, row->name),
                 "it is %s", expected);
}

void schema_section_refuse_no_memory(const struct schema_section *section, const char *name)
{
    char label[SCHEMA_LABEL_MAX];

    schema_section_label(section, name, label);
    (void)problem_add(section->list, PROBLEM_ERROR, NULL, "%s: out of memory", label);
}

bool schema_section_check_scalar(const struct schema_section *section,
                                 const struct yaml_node *value, const char *expected)
{
    char label[SCHEMA_LABEL_MAX];
    const struct problem_place *place = value->key == NULL ? &value->place : &value->key_place;

    schema_section_value_label(section, value, label);
    if (value->is_broken) {
        return false;
    }
    if (value->kind != YAML_SCALAR) {
        (void)problem_add(section->list, PROBLEM_ERROR, place, "%s must be %s, got %s", label,
                          expected, value->kind == YAML_LIST ? "a list" : "a map");
        return false;
    }
    if (value->is_plain && value->len == 0) {
        problem_hint(problem_add(section->list, PROBLEM_ERROR, place, "%s has no value", label),
                     "it must be %s", expected);
        return false;
    }
    if (strlen(value->text) != value->len) {
        (void)problem_add(section->list, PROBLEM_ERROR, place, "%s has a NUL byte", label);
        return false;
    }
    return true;
}
