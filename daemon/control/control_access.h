#ifndef FSD_DAEMON_CONTROL_CONTROL_ACCESS_H
#define FSD_DAEMON_CONTROL_CONTROL_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct fsd_err;

/* Who may talk to the daemon. */
struct control_access {
    bool has_admins;
    gid_t admins;       /* a group whose members may */
    bool is_production; /* `fsd serve`: whom workers run as may not, root excepted */
    uid_t workers;      /* whom they run as */
};

/* Looks up the administrators' group (fsd-admin), which asks the system's databases, so this is for the start. */
void control_access_init(struct control_access *ret_access);
/* May the process that connected on fd?  0, or -EACCES with the sentence for that process. */
int control_access_check(const struct control_access *access, int fd, struct fsd_err *err);

#endif
