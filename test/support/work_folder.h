#ifndef FSD_TEST_SUPPORT_WORK_FOLDER_H
#define FSD_TEST_SUPPORT_WORK_FOLDER_H

/* A fixture: a new folder as the working directory, gone afterwards with all that is in it.  Include cmocka.h before this. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int set_up(void **state)
{
    char folder[] = "/tmp/fsd-work-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    *state = strdup(folder);
    return 0;
}

static inline int tear_down(void **state)
{
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -r '%s'", (char *)*state);
    free(*state);
    return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

#endif
