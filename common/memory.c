/* memory.c - how much memory a process has.
 * Owns nothing.  How: the second number of /proc/PID/statm.  Called by the master for `status`, and by a worker about itself, once a
 * second: where /proc hides the processes of others (hidepid), a worker that is undumpable is hidden from a master of the same
 * user.  Must not know what the number is for. */
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/fd.h"

uint64_t memory_read(pid_t pid)
{
    char path[32];
    char text[128];
    (void)snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    if (fd_read_text(path, text, sizeof(text)) <= 0) {
        return 0;
    }
    char *resident = NULL;
    (void)strtoull(text, &resident, 10);
    return strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}
