/*
 * problem_sort.c - the order in which diagnostics are shown.
 *
 * Owns nothing.  Problems are found in the order of the checks; they are shown in the order of the
 * lines, file by file, so that a file can be mended from top to bottom.  The files stand in the
 * order of their first problems.
 *
 * Called by problem_print.c and problem_json.c.  Must not change the list.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/problem.h"

/* A problem and where its file stands in the output. */
struct ranked {
    const struct problem *problem; /* borrowed */
    size_t rank;                   /* of the first problem with the same file */
};

static bool is_same_file(const struct problem *a, const struct problem *b)
{
    if (a->file == NULL || b->file == NULL) {
        return a->file == b->file;
    }
    return strcmp(a->file, b->file) == 0;
}

/* For qsort; the addresses keep the order of two problems at one place. */
static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;

    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    if (x->problem->line != y->problem->line) {
        return x->problem->line < y->problem->line ? -1 : 1;
    }
    if (x->problem->column != y->problem->column) {
        return x->problem->column < y->problem->column ? -1 : 1;
    }
    return x->problem < y->problem ? -1 : x->problem > y->problem;
}

void problem_sort(const struct problem_list *list, const struct problem *ret_sorted[PROBLEM_MAX])
{
    struct ranked ranked[PROBLEM_MAX] = {{NULL, 0}};

    for (size_t i = 0; i < list->count; i++) {
        size_t first = 0;
        while (!is_same_file(&list->items[first], &list->items[i])) {
            first++;
        }
        ranked[i] = (struct ranked){&list->items[i], first};
    }
    qsort(ranked, list->count, sizeof(*ranked), compare_ranked);
    for (size_t i = 0; i < list->count; i++) {
        ret_sorted[i] = ranked[i].problem;
    }
}
