/* memory.c - how much memory a process has.
 * Owns nothing.  How: the second number of /proc/PID/statm.  Called by the master for `status`, and by a worker about itself, once a
 * second: where /proc hides the processes of others (hidepid), a worker that is undumpable is hidden from a master of the same
 * user.  Must not know what the number is for. */
#include "common/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/fd.h"

uint64_t memory_read(pid_t pid)
{
    char path[32];
    char text[128] = "";
    (void)snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t len = read(fd, text, sizeof(text) - 1);
    fd_close(&fd);
    if (len <= 0) {
        return 0;
    }
    char *resident = NULL;
    (void)strtoull(text, &resident, 10);
    return strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}
