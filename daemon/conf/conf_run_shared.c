/*
 * conf_run_shared.c - the shared dictionaries of `fsd run --shared LIST`.
 *
 * Owns the notation "NAME[=SIZE],...".  Names and sizes are what a file may say, by the same row.
 *
 * Called by the verb run, behind conf_new_for_run.  Must not know what a dictionary is for.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/problem.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_groups.h"
#include "daemon/conf/schema_value.h"

static bool has_name(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->shared_count; i++) {
        assert(conf->shared[i].name != NULL); /* those that are counted are whole */
        if (strcmp(conf->shared[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* What is wrong with the name, or NULL. */
static const char *judge(const struct conf *conf, const char *name)
{
    return !schema_groups_is_name(name)            ? "is no name"
           : has_name(conf, name)                  ? "is there twice"
           : conf->shared_count == CONF_SHARED_MAX ? "is one too many"
                                                   : NULL;
}

/* item: "NAME" or "NAME=SIZE"; it is cut in two. */
static int add(struct conf *conf, char *item, struct problem_list *list)
{
    const struct schema_row *row = schema_find_row("shared.*", "size");
    struct conf_shared *entry = &conf->shared[conf->shared_count];
    char *size = strchr(item, '=');
    if (size != NULL) {
        *size++ = '\0';
    }
    const char *wrong = judge(conf, item);
    if (wrong != NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "--shared: \"%s\" %s", item, wrong);
        return -EINVAL;
    }
    int error = size == NULL ? schema_value_store_initial(row, entry)
                             : schema_value_store(row, size, NULL, entry);
    if (error == -EINVAL || error == -ERANGE) {
        char expected[SCHEMA_EXPECTED_MAX];
        schema_value_describe(row, expected);
        (void)problem_add(list, PROBLEM_ERROR, NULL, "--shared: %s must be %s, got \"%s\"", item,
                          expected, size);
        return error;
    }
    entry->place.file = "";
    entry->name = strdup(item);
    if (error < 0 || entry->name == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    conf->shared_count++;
    return 0;
}

bool conf_run_add_shared(struct conf *conf, const char *text, struct problem_list *list)
{
    char *copy = strdup(text);
    char *rest = copy;
    char *item = NULL;
    int error = 0;

    conf->shared = calloc(CONF_SHARED_MAX + 1, sizeof(*conf->shared));
    if (copy == NULL || conf->shared == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
        error = -ENOMEM;
    }
    while (error == 0 && (item = strsep(&rest, ",")) != NULL) {
        error = add(conf, item, list);
    }
    free(copy);
    return error == 0;
}
