/* Whom children become, seen from outside in /proc. */
#include "daemon/host/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"

enum { STATUS_MAX = 8192, BIND = 10 /* CAP_NET_BIND_SERVICE */ };

struct child {
    int result; /* of privilege_drop */
    struct rlimit files;
    struct rlimit core;
    char status[STATUS_MAX];
};

/* What the kernel says about a process that has given up everything.  prepare may be NULL; it runs before. */
static void run(const struct privilege *privilege, void (*prepare)(void), struct child *ret_child)
{
    static struct child seen;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (prepare != NULL) {
            prepare();
        }
        seen.result = privilege_drop(privilege);
        (void)getrlimit(RLIMIT_NOFILE, &seen.files);
        (void)getrlimit(RLIMIT_CORE, &seen.core);
        int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
        (void)!read(fd, seen.status, sizeof(seen.status) - 1);
        _exit(write(ends[1], &seen, sizeof(seen)) == sizeof(seen) ? 0 : 1);
    }
    (void)close(ends[1]);
    size_t len = 0;
    ssize_t got;
    while ((got = read(ends[0], (char *)ret_child + len, sizeof(*ret_child) - len)) > 0) {
        len += (size_t)got;
    }
    (void)close(ends[0]);
    assert_int_equal(len, sizeof(*ret_child));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void assert_line(const struct child *child, const char *line)
{
    if (strstr(child->status, line) == NULL) {
        fail_msg("no line \"%s\" in:\n%s", line, child->status);
    }
}

static void need_root(void)
{
    if (geteuid() != 0) {
        skip();
    }
}

static void a_child_of_root_becomes_the_user_and_nothing_more(void **state)
{
    (void)state;
    struct child child;
    struct privilege privilege;
    char line[64];
    need_root();
    assert_int_equal(privilege_init(&privilege, "nobody", NULL, NULL), 0);
    const struct passwd *nobody = getpwnam("nobody");
    assert_true(privilege.is_switching);
    assert_int_equal(privilege.uid, nobody->pw_uid);
    run(&privilege, NULL, &child);
    assert_int_equal(child.result, 0);
    (void)snprintf(line, sizeof(line), "\nUid:\t%u\t%u\t%u\t%u\n", nobody->pw_uid, nobody->pw_uid,
                   nobody->pw_uid, nobody->pw_uid);
    assert_line(&child, line);
    (void)snprintf(line, sizeof(line), "\nGid:\t%u\t%u\t%u\t%u\n", nobody->pw_gid, nobody->pw_gid,
                   nobody->pw_gid, nobody->pw_gid);
    assert_line(&child, line);
    (void)snprintf(line, sizeof(line), "\nGroups:\t%u ", nobody->pw_gid);
    assert_line(&child, line);
    assert_line(&child, "\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                        "CapEff:\t0000000000000000\n");
    assert_line(&child, "\nCapAmb:\t0000000000000000\n");
    assert_line(&child, "\nNoNewPrivs:\t1\n");
    privilege_fini(&privilege);
    privilege_fini(&privilege);
}

static void a_group_of_its_own_takes_the_place_of_the_users(void **state)
{
    (void)state;
    struct child child;
    struct privilege privilege;
    char line[64];
    need_root();
    assert_int_equal(privilege_init(&privilege, "nobody", "daemon", NULL), 0);
    unsigned gid = getgrnam("daemon")->gr_gid;
    run(&privilege, NULL, &child);
    assert_int_equal(child.result, 0);
    (void)snprintf(line, sizeof(line), "\nGid:\t%u\t%u\t%u\t%u\n", gid, gid, gid, gid);
    assert_line(&child, line);
    privilege_fini(&privilege);
}

static void hold_ambient(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct some[_LINUX_CAPABILITY_U32S_3] = {
        {1U << BIND, 1U << BIND, 1U << BIND}};
    if (prctl(PR_SET_KEEPCAPS, 1) != 0 || setresgid(1, 1, 1) != 0 || setresuid(1, 1, 1) != 0 ||
        syscall(SYS_capset, &head, some) != 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, BIND, 0, 0) != 0) {
        _exit(9);
    }
}

static void what_a_service_manager_gave_us_to_bind_with_is_dropped(void **state)
{
    (void)state;
    struct child child;
    struct privilege privilege = {.uid = 1, .gid = 1};
    need_root();
    run(&privilege, hold_ambient, &child);
    assert_int_equal(child.result, 0);
    assert_line(&child, "\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                        "CapEff:\t0000000000000000\n");
    assert_line(&child, "\nCapAmb:\t0000000000000000\n");
}

static void leave_root_half(void)
{
    if (setresuid(1, 1, 0) != 0) {
        _exit(9);
    }
}

static void a_way_back_to_root_is_found_out(void **state)
{
    (void)state;
    struct child child;
    struct privilege privilege = {.uid = 1, .gid = 0};
    need_root();
    run(&privilege, leave_root_half, &child);
    assert_int_equal(child.result, -EPERM);
}

static void root_stays_root_where_no_user_is_named_or_root_is(void **state)
{
    (void)state;
    struct child child;
    struct privilege privilege;
    need_root();
    assert_int_equal(privilege_init(&privilege, NULL, NULL, NULL), 0);
    assert_false(privilege.is_switching);
    run(&privilege, NULL, &child);
    assert_int_equal(child.result, 0);
    assert_line(&child, "\nUid:\t0\t0\t0\t0\n");
    assert_line(&child, "\nNoNewPrivs:\t1\n");
    privilege_fini(&privilege);

    assert_int_equal(privilege_init(&privilege, "root", NULL, NULL), 0);
    assert_true(privilege.is_switching);
    run(&privilege, NULL, &child);
    assert_int_equal(child.result, 0);
    assert_line(&child, "\nUid:\t0\t0\t0\t0\n");
    privilege_fini(&privilege);
}

static void become_daemon(void)
{
    if (setresgid(1, 1, 1) != 0 || setresuid(1, 1, 1) != 0) {
        _exit(9);
    }
}

static void who_may_not_switch_is_refused_by_the_kernel(void **state)
{
    (void)state;
    struct child child;
    struct privilege privilege;
    need_root();
    assert_int_equal(privilege_init(&privilege, "nobody", NULL, NULL), 0);
    run(&privilege, become_daemon, &child);
    assert_int_equal(child.result, -EPERM);
    privilege_fini(&privilege);
}

static void unknown_names_are_said(void **state)
{
    (void)state;
    struct privilege privilege;
    struct fsd_err err = {""};
    assert_int_equal(privilege_init(&privilege, "no-such-user", NULL, &err), -EINVAL);
    assert_string_equal(err.text, "cannot run workers as user \"no-such-user\": there is none");
    assert_int_equal(privilege_init(&privilege, "nobody", "no-such-group", &err), -EINVAL);
    assert_string_equal(err.text, "cannot run workers as group \"no-such-group\": there is none");
}

/* The verdicts for a master that is not root, as bits of the exit code. */
static int judge_as_daemon(void)
{
    struct privilege privilege = {0};
    struct fsd_err err = {""};
    become_daemon();
    int code = 0;
    code |=
        privilege_init(&privilege, "daemon", NULL, &err) == 0 && !privilege.is_switching ? 1 : 0;
    code |= privilege_init(&privilege, "daemon", "daemon", &err) == 0 ? 2 : 0;
    code |= privilege_init(&privilege, "daemon", "nogroup", &err) == -EPERM ? 4 : 0;
    code |= privilege_init(&privilege, "nobody", NULL, &err) == -EPERM ? 8 : 0;
    code |= strcmp(err.text,
                   "cannot run workers as user \"nobody\": fsd was started by \"daemon\", and only "
                   "root can become somebody else.  Start it as root or as that user, or take the "
                   "keys \"user\" and \"group\" out of the configuration") == 0
                ? 16
                : 0;
    return code;
}

static void who_is_not_root_can_only_stay_what_he_is(void **state)
{
    (void)state;
    need_root();
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(judge_as_daemon());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 31);
}

static void limits_are_raised_and_cores_only_forbidden_with_a_shield(void **state)
{
    (void)state;
    struct child child;
    struct rlimit files;
    struct rlimit core;
    struct privilege privilege = {.uid = geteuid(), .gid = getegid()};
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    struct rlimit low = {files.rlim_max / 2, files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    run(&privilege, NULL, &child);
    assert_int_equal(child.files.rlim_cur, files.rlim_max);
    assert_int_equal(child.core.rlim_max, core.rlim_max);
    privilege.is_shielded = true;
    run(&privilege, NULL, &child);
    assert_int_equal(child.core.rlim_max, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
}

/* In a child, because it is for ever. */
static int shield_with_core_limit(rlim_t soft)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        struct privilege privilege = {0};
        struct rlimit core = {soft, RLIM_INFINITY};
        bool is_set = setrlimit(RLIMIT_CORE, &core) == 0;
        bool is_shielded = privilege_shield(&privilege);
        bool is_dumpable = prctl(PR_GET_DUMPABLE) == 1;
        _exit(is_set && is_shielded == privilege.is_shielded && is_shielded != is_dumpable
                  ? is_shielded
                  : 9);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void who_wants_core_dumps_gets_no_shield(void **state)
{
    (void)state;
    struct rlimit core;
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(shield_with_core_limit(0), 1);
    if (core.rlim_max != RLIM_INFINITY) {
        skip();
    }
    assert_int_equal(shield_with_core_limit(4096), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_of_root_becomes_the_user_and_nothing_more),
        cmocka_unit_test(a_group_of_its_own_takes_the_place_of_the_users),
        cmocka_unit_test(what_a_service_manager_gave_us_to_bind_with_is_dropped),
        cmocka_unit_test(a_way_back_to_root_is_found_out),
        cmocka_unit_test(root_stays_root_where_no_user_is_named_or_root_is),
        cmocka_unit_test(who_may_not_switch_is_refused_by_the_kernel),
        cmocka_unit_test(unknown_names_are_said),
        cmocka_unit_test(who_is_not_root_can_only_stay_what_he_is),
        cmocka_unit_test(limits_are_raised_and_cores_only_forbidden_with_a_shield),
        cmocka_unit_test(who_wants_core_dumps_gets_no_shield),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
