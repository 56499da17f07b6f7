/*
 * schema_variables.c - the variables of an application.
 *
 * Owns what may be a variable's name and value, and the two ways to write one: its text, or the
 * file that has it.  An explicit null takes a variable of an earlier file back.  What came from
 * anywhere but the configuration itself is marked as a secret.
 *
 * Called by schema.c.  Must not know what a variable is for.
 */
#include "daemon/conf/schema_variables.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/refs.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_section.h"
#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"

/* As in a shell: letters, digits and underscores. */
static bool is_variable(const char *text)
{
    return text[0] != '\0' && !isdigit((unsigned char)text[0]) &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               '\0';
}

/* section is the map, for messages. */
static bool check_name(const struct schema_section *section, const struct conf_app *app,
                       const struct yaml_node *value)
{
    if (!is_variable(value->key)) {
        problem_hint(problem_add(section->list, PROBLEM_ERROR, &value->key_place,
                                 "\"%s\" cannot be the name of a variable in %s", value->key,
                                 section->label),
                     "letters, digits and \"_\"");
        return false;
    }
    for (size_t i = 0; i < app->env_count; i++) {
        if (strcmp(app->env[i].name, value->key) == 0) {
            (void)problem_add(section->list, PROBLEM_ERROR, &value->key_place,
                              "%s: \"%s\" is in env as well", section->label, value->key);
            return false;
        }
    }
    return true;
}

/* The text of the file that value names; NULL: reported. */
static char *read_value(const struct schema_section *section, const struct yaml_node *value)
{
    struct fsd_err err;
    char *text = NULL;
    size_t len = 0;
    char *path = source_resolve(value->place.source, value->text);

    if (path == NULL) {
        schema_section_refuse_no_memory(section, value->key);
        return NULL;
    }
    if (refs_read_file(path, &text, &len, &err) < 0) {
        (void)problem_add(section->list, PROBLEM_ERROR, &value->place, "%s.%s: %s", section->label,
                          value->key, err.text);
    }
    free(path);
    return text;
}

static void bind_variable(const struct schema_section *section, enum schema_kind kind,
                          struct conf_app *app, const struct yaml_node *value)
{
    bool is_file = kind == SCHEMA_FILES;

    if ((value->len > 0 && yaml_is_null(value)) || !check_name(section, app, value) ||
        !schema_section_check_scalar(section, value,
                                     is_file ? "a path" : "a string (\"\" for an empty one)")) {
        return;
    }
    struct conf_env *variable = &app->env[app->env_count];
    variable->is_secret = is_file || value->is_expanded;
    variable->value = is_file ? read_value(section, value) : strdup(value->text);
    variable->name = strdup(value->key);
    if (variable->value != NULL && variable->name != NULL) {
        app->env_count++;
        return;
    }
    if (!is_file || variable->name == NULL) { /* else read_value has said why */
        schema_section_refuse_no_memory(section, value->key);
    }
    free(variable->value);
    free(variable->name);
}

void schema_variables_bind(const struct schema_section *section, const struct schema_row *row,
                           const struct yaml_node *value)
{
    struct conf_app *app = section->object;
    struct schema_section inner = *section;
    char label[SCHEMA_LABEL_MAX];
    size_t count = app->env_count + value->child_count;

    schema_section_label(section, row->name, label);
    inner.label = label;
    if (value->child_count == 0) {
        return;
    }
    struct conf_env *grown = realloc(app->env, count * sizeof(*grown));
    if (grown == NULL) {
        schema_section_refuse_no_memory(&inner, "*");
        return;
    }
    app->env = grown;
    for (const struct yaml_node *child = value->child; child != NULL; child = child->next) {
        bind_variable(&inner, row->kind, app, child);
    }
}
