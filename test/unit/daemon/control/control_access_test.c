/* Who may talk: real processes of several users, beside the one that is asked and below it. */
#include "daemon/control/control_access.h"

#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"

enum { STRANGER = 54321, OTHER = 54322, ADMINS = 54323 }; /* ids that own nothing */

struct who {
    uid_t uid;
    gid_t gid;
    gid_t supplementary;
};

static const struct who root = {0, 0, 0};
static const struct who stranger = {STRANGER, STRANGER, STRANGER};

struct scene {
    struct control_access access;
    struct who server;
    struct who client;
    int below; /* 0: a process beside the server; 1: its child; 2: a child's child */
};

struct verdict {
    int result;
    char text[FSD_ERR_MAX];
};

static void become(const struct who *who)
{
    if (who->uid != 0 &&
        (setgroups(1, &who->supplementary) < 0 || setresgid(who->gid, who->gid, who->gid) < 0 ||
         setresuid(who->uid, who->uid, who->uid) < 0)) {
        _exit(1);
    }
}

/* Runs in a process of its own; stays connected until it is hung up on. */
static _Noreturn void connect_as(const struct who *who, const struct sockaddr_un *address,
                                 int below)
{
    char byte = 0;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
    for (pid_t pid; below > 1; below--) {
        pid = fork();
        int status = 1;
        if (pid != 0) {
            _exit(waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1);
        }
    }
    become(who);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    _exit(connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
                  read(fd, &byte, 1) == 0
              ? 0
              : 1);
}

static pid_t start_client(const struct scene *scene, const struct sockaddr_un *address)
{
    pid_t pid = fork();
    if (pid == 0) {
        connect_as(&scene->client, address, scene->below);
    }
    return pid;
}

/* The daemon's part, in a process of its own. */
static _Noreturn void serve(const struct scene *scene, int listening,
                            const struct sockaddr_un *address, int out)
{
    struct verdict verdict = {.result = 1};
    struct fsd_err err = {""};
    pid_t child = scene->below == 0 ? 0 : start_client(scene, address);
    become(&scene->server);
    (void)alarm(30);
    int fd = accept(listening, NULL, NULL);
    verdict.result = control_access_check(&scene->access, fd, &err);
    (void)snprintf(verdict.text, sizeof(verdict.text), "%s", err.text);
    fd_close(&fd);
    bool is_told = write(out, &verdict, sizeof(verdict)) == sizeof(verdict);
    int status = 0;
    _exit(is_told && (child == 0 || (waitpid(child, &status, 0) == child && status == 0)) ? 0 : 1);
}

static struct verdict play(const struct scene *scene)
{
    struct verdict verdict = {.result = 1};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/fsd-access-XXXXXX";
    int report[2];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/c", folder);
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(chmod(address.sun_path, 0666), 0); /* so that the check is all that refuses */
    assert_int_equal(listen(listening, 5), 0);
    assert_int_equal(pipe(report), 0);
    pid_t server = fork();
    if (server == 0) {
        serve(scene, listening, &address, report[1]);
    }
    pid_t client = scene->below == 0 ? start_client(scene, &address) : 0;
    fd_close(&report[1]);
    int status = -1;
    assert_int_equal(read(report[0], &verdict, sizeof(verdict)), sizeof(verdict));
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_int_equal(status, 0);
    if (client != 0) {
        assert_int_equal(waitpid(client, &status, 0), client);
        assert_int_equal(status, 0);
    }
    fd_close(&report[0]);
    fd_close(&listening);
    assert_int_equal(unlink(address.sun_path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_true((verdict.result == 0) == (verdict.text[0] == '\0'));
    return verdict;
}

static void need_root(void)
{
    if (geteuid() != 0) {
        skip(); /* only root can become somebody else */
    }
}

static void root_and_the_administrators_may_talk_and_strangers_not(void **state)
{
    (void)state;
    need_root();
    const struct control_access access = {.has_admins = true, .admins = ADMINS};
    struct scene scene = {access, root, root, 0};
    assert_int_equal(play(&scene).result, 0);
    scene.client = (struct who){STRANGER, ADMINS, STRANGER};
    assert_int_equal(play(&scene).result, 0);
    scene.client = (struct who){STRANGER, STRANGER, ADMINS};
    assert_int_equal(play(&scene).result, 0);
    scene.client = stranger;
    struct verdict verdict = play(&scene);
    assert_int_equal(verdict.result, -EACCES);
    assert_string_equal(verdict.text, "user id 54321 may not control this fsd: it is neither root "
                                      "nor in the group \"fsd-admin\"");
}

static void without_the_group_nobody_gets_in_by_its_number(void **state)
{
    (void)state;
    need_root();
    struct scene scene = {{.has_admins = false, .admins = 0}, root, {STRANGER, 0, 0}, 0};
    struct verdict verdict = play(&scene);
    assert_int_equal(verdict.result, -EACCES);
    assert_string_equal(verdict.text,
                        "user id 54321 may not control this fsd: it is neither root nor in the "
                        "group \"fsd-admin\", which did not exist when fsd was started");
}

static void a_developer_may_talk_to_the_daemon_that_he_runs(void **state)
{
    (void)state;
    need_root();
    struct scene scene = {{.has_admins = false}, stranger, stranger, 0};
    assert_int_equal(play(&scene).result, 0);
    scene.client.uid = OTHER;
    assert_int_equal(play(&scene).result, -EACCES);
}

static void in_production_the_user_of_the_workers_is_refused_even_as_an_administrator(void **state)
{
    (void)state;
    need_root();
    const struct control_access access = {true, ADMINS, true, STRANGER};
    struct scene scene = {access, stranger, {STRANGER, STRANGER, ADMINS}, 0};
    struct verdict verdict = play(&scene);
    assert_int_equal(verdict.result, -EACCES);
    assert_string_equal(verdict.text,
                        "user id 54321 may not control this fsd: the application's code runs as "
                        "it.  Ask as root, or as another user who is in the group \"fsd-admin\"");
    scene.client = root;
    assert_int_equal(play(&scene).result, 0);
    scene.client = (struct who){OTHER, OTHER, ADMINS};
    assert_int_equal(play(&scene).result, 0);
}

static void in_production_our_own_user_may_talk_when_workers_are_somebody_else(void **state)
{
    (void)state;
    need_root();
    struct scene scene = {{false, 0, true, OTHER}, stranger, stranger, 0};
    assert_int_equal(play(&scene).result, 0);
    scene.client.uid = OTHER;
    assert_int_equal(play(&scene).result, -EACCES);
}

static void what_we_have_started_is_refused_even_as_root(void **state)
{
    (void)state;
    need_root();
    for (int below = 1; below <= 3; below++) {
        struct scene scene = {{.is_production = true}, root, root, below};
        struct verdict verdict = play(&scene);
        assert_int_equal(verdict.result, -EACCES);
        assert_non_null(strstr(verdict.text, "was started by a worker of this fsd"));
    }
}

static void the_daemon_is_no_descendant_of_itself(void **state)
{
    (void)state;
    struct control_access access;
    struct fsd_err err = {""};
    int ends[2];
    control_access_init(&access);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(control_access_check(&access, ends[0], &err), 0);
    fd_close(&ends[1]);
    fd_close(&ends[0]);
    assert_int_equal(control_access_check(&access, 9999, &err), -EACCES);
    assert_string_equal(err.text, "cannot tell who asks: Bad file descriptor");
}

static void the_group_is_found_where_it_exists(void **state)
{
    (void)state;
    struct control_access access;
    control_access_init(&access);
    const struct group *admins = getgrnam("fsd-admin");
    assert_int_equal(access.has_admins, admins != NULL);
    assert_int_equal(access.admins, admins == NULL ? 0 : admins->gr_gid);
    assert_false(access.is_production);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_and_the_administrators_may_talk_and_strangers_not),
        cmocka_unit_test(without_the_group_nobody_gets_in_by_its_number),
        cmocka_unit_test(a_developer_may_talk_to_the_daemon_that_he_runs),
        cmocka_unit_test(in_production_the_user_of_the_workers_is_refused_even_as_an_administrator),
        cmocka_unit_test(in_production_our_own_user_may_talk_when_workers_are_somebody_else),
        cmocka_unit_test(what_we_have_started_is_refused_even_as_root),
        cmocka_unit_test(the_daemon_is_no_descendant_of_itself),
        cmocka_unit_test(the_group_is_found_where_it_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
