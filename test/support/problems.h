#ifndef FSD_TEST_SUPPORT_PROBLEMS_H
#define FSD_TEST_SUPPORT_PROBLEMS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/problem.h"

/* What problem_print would show; the caller frees it. */
static inline char *problems_print(const struct problem_list *list)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    problem_print(list, out);
    (void)fclose(out);
    return text;
}

/* Fails the test, showing both texts, unless the printed list contains expected. */
static inline void problems_assert_contains(const struct problem_list *list, const char *expected)
{
    char *text = problems_print(list);

    if (strstr(text, expected) == NULL) {
        print_error("expected: %s\nprinted:\n%s\n", expected, text);
        free(text);
        fail();
    }
    free(text);
}

static inline void problems_assert_none(const struct problem_list *list)
{
    if (list->count > 0) {
        char *text = problems_print(list);
        print_error("printed:\n%s\n", text);
        free(text);
        fail();
    }
}

#endif
