/*
 * schema_variables.c - the variables of an application.
 *
 * Owns what may be a variable's name and value.  The values are copied as they are; an explicit
 * null takes a variable of an earlier file back.
 *
 * Called by schema.c.  Must not know what a variable is for.
 */
#include "daemon/conf/schema_variables.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/schema_section.h"
#include "daemon/conf/yaml.h"

/* As in a shell: letters, digits and underscores. */
static bool is_variable(const char *text)
{
    return text[0] != '\0' && !isdigit((unsigned char)text[0]) &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               '\0';
}

static void bind_variable(const struct schema_section *section, struct conf_app *app,
                          const struct yaml_node *value)
{
    if (!is_variable(value->key)) {
        problem_hint(problem_add(section->list, PROBLEM_ERROR, &value->key_place,
                                 "\"%s\" cannot be the name of a variable in %s", value->key,
                                 section->label),
                     "letters, digits and \"_\"");
        return;
    }
    /* An explicit null takes a variable of an earlier file back. */
    if (value->len > 0 && yaml_is_null(value)) {
        return;
    }
    if (!schema_section_check_scalar(section, value, "a string (\"\" for an empty one)")) {
        return;
    }
    struct conf_env *variable = &app->env[app->env_count++];
    variable->name = strdup(value->key);
    variable->value = strdup(value->text);
    if (variable->name == NULL || variable->value == NULL) {
        schema_section_refuse_no_memory(section, value->key);
    }
}

void schema_variables_bind(const struct schema_section *section, const struct yaml_node *value)
{
    struct conf_app *app = section->object;

    if (value->child_count == 0) {
        return;
    }
    app->env = calloc(value->child_count, sizeof(*app->env));
    if (app->env == NULL) {
        schema_section_refuse_no_memory(section, "*");
        return;
    }
    for (const struct yaml_node *child = value->child; child != NULL; child = child->next) {
        bind_variable(section, app, child);
    }
}
