/* worker_path.c - finding the other executable.
 * Owns nothing.  How: a build has both programs in one folder; an installed fsd stands in PREFIX/sbin and its worker, which
 * nobody starts by hand, in PREFIX/lib/fsd.  Links stay, so that
 * a new worker behind one needs no new master.
 * Called by the verbs before they start anything.  Must not start it. */
#include "daemon/verb/worker_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "daemon/conf/file.h"

static const char program[] = "fsd-worker";

/* 0 with an absolute path when a program is there that we may execute.  Links stay as they are: a link that points to a new
 * version later is followed at the next start of a worker. */
static int check(const char *path, char ret_path[PATH_MAX])
{
    struct stat found;
    if (stat(path, &found) < 0) {
        return -errno;
    }
    if (!S_ISREG(found.st_mode)) {
        return -EACCES; /* what execve says */
    }
    if (access(path, X_OK) < 0) {
        return -errno;
    }
    char *absolute = file_absolute(path);
    if (absolute == NULL) {
        return -ENOMEM;
    }
    int result = strlen(absolute) < PATH_MAX ? 0 : -ENAMETOOLONG;
    if (result == 0) {
        memcpy(ret_path, absolute, strlen(absolute) + 1);
    }
    free(absolute);
    return result;
}

int worker_path_find_near(const char *folder, char ret_path[PATH_MAX], struct fsd_err *err)
{
    char beside[PATH_MAX + 32];
    char installed[PATH_MAX + 32];
    (void)snprintf(beside, sizeof(beside), "%s/%s", folder, program); /* folder < PATH_MAX */
    (void)snprintf(installed, sizeof(installed), "%s/../lib/fsd/%s", folder, program);
    int r = check(beside, ret_path);
    if (r == -ENOENT) {
        r = check(installed, ret_path);
    }
    if (r < 0) {
        return fsd_err_set(err, -r, "cannot find %s at \"%s\" nor at \"%s\": %s", program, beside,
                           installed, strerror(-r));
    }
    return 0;
}

int worker_path_find(const char *option, char ret_path[PATH_MAX], struct fsd_err *err)
{
    if (option != NULL) {
        int r = check(option, ret_path);
        return r < 0 ? fsd_err_set(err, -r, "cannot use \"%s\" as %s: %s", option, program,
                                   strerror(-r))
                     : 0;
    }
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len < 0) {
        return fsd_err_set(err, errno, "cannot read \"/proc/self/exe\": %s", strerror(errno));
    }
    self[len] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL) {
        return fsd_err_set(err, ENOENT, "cannot tell where this program is from \"%s\"", self);
    }
    *slash = '\0';
    return worker_path_find_near(self, ret_path, err);
}
