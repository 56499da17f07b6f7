/* privilege.c - whom the processes are that run the application's code, and what is taken from them.
 * Owns the names looked up at the start: user, group, supplementary groups.  How: all that may ask a database is done once, by
 * privilege_init; a child then only makes system calls, compares what it got with what it asked for, and tries to become root
 * again, which must fail.  Called by setup.c and verb_check.c at the start, and by spawn.c in every child.
 * Must not know what the child becomes, nor fork itself. */
#include "daemon/host/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"

enum { GROUPS_FIRST = 32, GROUPS_MAX = 65536 }; /* the kernel takes no more */

static int refuse_memory(struct fsd_err *err)
{
    return fsd_err_set(err, ENOMEM, "cannot look up the user of the workers: out of memory");
}

/* The list grows until all groups fit. */
static int find_groups(struct privilege *privilege, struct fsd_err *err)
{
    int room = GROUPS_FIRST;
    for (;;) {
        gid_t *groups = realloc(privilege->groups, (size_t)room * sizeof(*groups));
        if (groups == NULL) {
            return refuse_memory(err);
        }
        privilege->groups = groups;
        int count = room;
        if (getgrouplist(privilege->user, privilege->gid, groups, &count) >= 0) {
            privilege->group_count = (size_t)count;
            return 0;
        }
        room = count > room ? count : room * 2; /* not every source says how many there are */
        if (room > GROUPS_MAX) {
            return fsd_err_set(err, E2BIG, "user \"%s\" is in too many groups", privilege->user);
        }
    }
}

/* We are not root: all that can be had is what we are. */
static int check_unchanged(const struct privilege *privilege, const char *user, bool has_group,
                           struct fsd_err *err)
{
    if (privilege->uid == geteuid() && (!has_group || privilege->gid == getegid())) {
        return 0;
    }
    const struct passwd *own = getpwuid(geteuid());
    return fsd_err_set(
        err, EPERM,
        "cannot run workers as user \"%s\": fsd was started by \"%s\", and only root "
        "can become somebody else.  Start it as root or as that user, or take the "
        "keys \"user\" and \"group\" out of the configuration",
        user, own == NULL ? "a user without a name" : own->pw_name);
}

static int find_user(struct privilege *privilege, const char *user, const char *group,
                     struct fsd_err *err)
{
    const struct passwd *known = getpwnam(user);
    if (known == NULL) {
        return fsd_err_set(err, EINVAL, "cannot run workers as user \"%s\": there is none", user);
    }
    privilege->uid = known->pw_uid;
    privilege->gid = known->pw_gid;
    const struct group *other = group == NULL ? NULL : getgrnam(group);
    if (group != NULL && other == NULL) {
        return fsd_err_set(err, EINVAL, "cannot run workers as group \"%s\": there is none", group);
    }
    if (other != NULL) {
        privilege->gid = other->gr_gid;
    }
    if (geteuid() != 0) {
        return check_unchanged(privilege, user, group != NULL, err);
    }
    privilege->is_switching = true;
    privilege->user = strdup(user);
    return privilege->user == NULL ? refuse_memory(err) : find_groups(privilege, err);
}

int privilege_init(struct privilege *ret_privilege, const char *user, const char *group,
                   struct fsd_err *err)
{
    struct privilege privilege = {.uid = geteuid(), .gid = getegid()};
    int error = user == NULL ? 0 : find_user(&privilege, user, group, err);
    if (error < 0) {
        privilege_fini(&privilege);
        return error;
    }
    *ret_privilege = privilege;
    return 0;
}

void privilege_fini(struct privilege *privilege)
{
    free(privilege->groups);
    free(privilege->user);
    *privilege = (struct privilege){0};
}

bool privilege_shield(struct privilege *privilege)
{
    struct rlimit core;
    privilege->is_shielded =
        getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
    return privilege->is_shielded;
}

static void set_limits(bool is_shielded)
{
    static const struct rlimit none = {0, 0};
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max; /* the low one is for programs that use select(2) */
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (is_shielded) {
        (void)setrlimit(RLIMIT_CORE, &none); /* lowering is always allowed */
    }
}

static int become_user(const struct privilege *privilege)
{
    uid_t uid[3];
    gid_t gid[3];
    if (setgroups(privilege->group_count, privilege->groups) != 0 ||
        setresgid(privilege->gid, privilege->gid, privilege->gid) != 0 ||
        setresuid(privilege->uid, privilege->uid, privilege->uid) != 0 ||
        getresgid(&gid[0], &gid[1], &gid[2]) != 0 || getresuid(&uid[0], &uid[1], &uid[2]) != 0) {
        return -errno;
    }
    for (int i = 0; i < 3; i++) {
        if (gid[i] != privilege->gid || uid[i] != privilege->uid) {
            return -EPERM;
        }
    }
    return 0;
}

/* A service manager may have given us some to bind with.  Without ambient ones exec takes the effective and the permitted away.  The
 * inheritable ones go where a filter lets capset through; they have no effect without a file's, which no_new_privs rules out. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
        return -errno;
    }
    (void)syscall(SYS_capset, &head, none);
    return setuid(0) == 0 ? -EPERM : 0; /* that it fails is the proof */
}

int privilege_drop(const struct privilege *privilege)
{
    if (privilege != NULL) {
        set_limits(privilege->is_shielded);
        int error = privilege->is_switching ? become_user(privilege) : 0;
        if (error == 0 && privilege->uid != 0) {
            error = drop_capabilities();
        }
        if (error < 0) {
            return error;
        }
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
}
