/*
 * conf_state.c - where the daemon keeps its state when nobody says it.
 *
 * Owns the order in which the environment is asked.  systemd sets $STATE_DIRECTORY for a unit with
 * StateDirectory=; a developer's state belongs below the home folder (XDG Base Directory
 * Specification), or beside the control socket for a user who has no home.
 *
 * Called by conf.c and conf_run.c.  Must not make a folder: who writes there does.
 */
#include "daemon/conf/conf_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An absolute path that the environment names, else NULL. */
static const char *find_folder(const char *variable)
{
    const char *folder = getenv(variable);

    return folder == NULL || folder[0] != '/' ? NULL : folder;
}

int conf_state_from_environment(char **ret_path)
{
    const char *folders = find_folder("STATE_DIRECTORY");

    *ret_path = NULL;
    if (folders == NULL) {
        return 0;
    }
    /* A unit may have several, with colons between them. */
    *ret_path = strndup(folders, strcspn(folders, ":"));
    return *ret_path == NULL ? -ENOMEM : 0;
}

char *conf_state_for_run(void)
{
    const char *state = find_folder("XDG_STATE_HOME");
    const char *home = find_folder("HOME");
    const char *runtime = find_folder("XDG_RUNTIME_DIR");
    char *path = NULL;
    int len = 0;

    if (state != NULL) {
        len = asprintf(&path, "%s/fsd", state);
    } else if (home != NULL && access(home, W_OK) == 0) {
        len = asprintf(&path, "%s/.local/state/fsd", home);
    } else {
        len = asprintf(&path, "%s/fsd-run-%ld", runtime != NULL ? runtime : "/tmp", (long)getpid());
    }
    return len < 0 ? NULL : path;
}
