/* oom_parse.c - reads the text of the kernel that counts the processes of a cgroup that it killed for lack of memory.
 * Owns nothing.  In version 1 of cgroups that is memory.oom_control, in version 2 memory.events; both have a line "oom_kill N".
 * Called by oom.c.  Pure. */
#include "daemon/crash/oom_parse.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

int oom_parse_count(const char *text, uint64_t *ret_count)
{
    static const char key[] = "oom_kill ";
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += line != text ? 1 : 0;
        if (strncmp(line, key, sizeof(key) - 1) == 0) {
            char digits[24];
            const char *number = line + sizeof(key) - 1;
            (void)snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(number, "\n"), number);
            return parse_digits(digits, 10, UINT64_MAX, ret_count) == 0 ? 0 : -EINVAL;
        }
    }
    return -EINVAL;
}
