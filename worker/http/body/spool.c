/* spool.c - where libh2o keeps large bodies while they are received.
 * Owns libh2o's setting for that, the template of a file name and a size; nothing else may write it.  libh2o 2.2.5 asks for the blocks
 * of what it maps (posix_fallocate), so a full disk is no SIGBUS; but it hangs up on the client where it can't make the file or gets
 * no blocks.  So a file is made here first, and below a gigabyte of free space, bodies stay in memory.  It does not set O_CLOEXEC:
 * programs that a worker starts have all but their own descriptors closed (toolbox/spawn.c).
 * Called by server.c at start, and by intake.c after each large body.  Must not know what a body is. */
#include "worker/http/body/spool.h"

#include <fcntl.h>
#include <h2o.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const uint64_t free_min = UINT64_C(1)
                                 << 30; /* many bodies at once, and others who write there */

static bool has_room(const char *path)
{
    struct statvfs found;
    return statvfs(path, &found) == 0 && (uint64_t)found.f_bavail * found.f_frsize >= free_min;
}

/* Whether files can be made there. */
static bool is_writable(const char *template)
{
    char path[FILENAME_MAX];
    (void)snprintf(path, sizeof(path), "%s", template); /* fits: as large */
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    (void)close(fd);
    (void)unlink(path);
    return true;
}

void spool_open(void)
{
    const char *const folders[] = {getenv("TMPDIR"), "/tmp", "/var/tmp"};
    h2o_buffer_mmap_settings_t *settings = &h2o_socket_buffer_mmap_settings;
    settings->threshold = SIZE_MAX;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        const char *folder = folders[i];
        if (folder == NULL || strlen(folder) + sizeof("/fsd-body-XXXXXX") > FILENAME_MAX) {
            continue;
        }
        (void)snprintf(settings->fn_template, sizeof(settings->fn_template), "%s/fsd-body-XXXXXX",
                       folder); /* fits */
        if (is_writable(settings->fn_template)) {
            spool_check();
            return;
        }
    }
    settings->fn_template[0] = '\0';
}

void spool_check(void)
{
    h2o_buffer_mmap_settings_t *settings = &h2o_socket_buffer_mmap_settings;
    char folder[FILENAME_MAX];
    (void)snprintf(folder, sizeof(folder), "%s", settings->fn_template); /* fits: as large */
    char *slash = strrchr(folder, '/');
    if (slash == NULL) {
        return; /* there is no folder */
    }
    slash[1] = '\0';
    settings->threshold = has_room(folder) ? SPOOL_THRESHOLD : SIZE_MAX;
}
