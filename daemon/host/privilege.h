#ifndef FSD_DAEMON_HOST_PRIVILEGE_H
#define FSD_DAEMON_HOST_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct fsd_err;

/* Whom the processes are that run the application's code, and what they may not do. */
struct privilege {
    bool is_switching; /* they become this user; else they are who the master is */
    /* other processes of their user can't look into them; they leave no core dump */
    bool is_shielded;
    uid_t uid; /* theirs, in either case */
    gid_t gid;
    gid_t *groups; /* owned; the supplementary ones; of a switch */
    size_t group_count;
    char *user; /* owned; NULL: no switch */
};

/* Looks up whom a configuration's keys name; both may be NULL.  Asks the system's databases, so this is for the start.  -EPERM
 * when that is somebody else and we are not root, -EINVAL for an unknown name, with the sentence. */
int privilege_init(struct privilege *ret_privilege, const char *user, const char *group,
                   struct fsd_err *err);
/* All zero is fine. */
void privilege_fini(struct privilege *privilege);
/* Shields this process, and the children that come, unless our own limit asks for core dumps.  Whether it did. */
bool privilege_shield(struct privilege *privilege);
/* In a child between fork and exec (async-signal-safe): gives up everything, and makes sure that it cannot come back.  0, or a
 * negative errno: the process must end.  NULL gives up only what exec could add. */
int privilege_drop(const struct privilege *privilege);

#endif
