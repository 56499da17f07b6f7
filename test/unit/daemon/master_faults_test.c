/* Everything that can fail fails once, in a whole daemon that is put through its paces: it starts, or says why not; once it runs it
 * goes on, answers, and ends when it is told. */
#include "test/support/faults.h"

#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/fd.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/problem.h"
#include "daemon/master.h"
#include "daemon/upgrade/upgrade_resume.h"
#include "test/support/worker_stub.h"

/* Every how many places.  All of them where branches are counted, which is with clang; sanitizers make it slow. */
#if defined(__SANITIZE_ADDRESS__)
enum { STRIDE = 16 };
#elif defined(__clang__)
enum { STRIDE = 1 };
#else
enum { STRIDE = 4 };
#endif

enum {
    ANSWER_MS = 30000,
    END_MS = 30000,
    ANSWER_MAX = 65536,
};

/* jansson 2.14 overruns the heap when memory for its parser is out, so the parser is left out.  lex_save (its load.c) does not look
 * whether strbuffer_append_byte had room, so a byte of the token is lost: the 16th, or the 32nd, when the buffer is to grow.  Is it
 * the quote at the end, as in "config.history", lex_scan_string copies on behind its buffers up to any other quote; is it the byte
 * after a number, an assertion in lex_unget_unsave ends the process; is it a digit, the number is another one. */
json_t *json_loadb(const char *buffer, size_t buflen, size_t flags, json_error_t *error)
{
    static json_t *(*real)(const char *buffer, size_t buflen, size_t flags, json_error_t *error);
    bool was_watching = faults_is_watching;
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "json_loadb");
    }
    faults_is_watching = false;
    json_t *value = real(buffer, buflen, flags, error);
    faults_is_watching = was_watching;
    return value;
}

struct run {
    char folder[32];
    char worker[4096];
    char answer[ANSWER_MAX];
    pid_t pid;
    int exit_code; /* valid when pid is 0 */
};

static void write_conf(const struct run *run, const char *web, const char *more)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/fsd.yaml", run->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(
        file,
        "listeners: { a: { listen: \"127.0.0.1:0\" }, b: { listen: \"unix:%s/b.sock\" } }\n"
        "apps: { shop: { path: app.lua, env: { KEY: value } } }\n"
        "pools:\n"
        "  web: { app: shop, listeners: [a], %s }\n"
        "  jobs: { app: shop, listeners: [b], count: 1, standby: 0, intensity: 1000 }\n"
        "control: { path: %s/c.sock }\n"
        "state: { path: %s/state }\n"
        "%s",
        run->folder, web, run->folder, run->folder, more);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

static int set_up(void **state)
{
    struct run *run = calloc(1, sizeof(*run));
    char path[64];
    assert_non_null(run);
    (void)snprintf(run->folder, sizeof(run->folder), "/tmp/fsd-faults-XXXXXX");
    assert_non_null(mkdtemp(run->folder));
    (void)snprintf(path, sizeof(path), "%s/app.lua", run->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
    assert_true(readlink("/proc/self/exe", run->worker, sizeof(run->worker) - 1) > 0);
    *state = run;
    return 0;
}

static int tear_down(void **state)
{
    struct run *run = *state;
    char command[64];
    if (run->pid > 0) { /* the test has failed */
        (void)kill(run->pid, SIGKILL);
        (void)waitpid(run->pid, NULL, 0);
    }
    (void)snprintf(command, sizeof(command), "rm -rf %s", run->folder);
    assert_int_equal(system(command), 0); /* NOLINT: the name is our own */
    free(run);
    return 0;
}

static struct conf *load(const struct master_options *options, struct problem_list *list)
{
    return conf_load(options->source, list);
}

/* The daemon, in the child. */
static _Noreturn void be_daemon(const struct run *run)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}; /* cmocka's */
    char source[64];
    char log[64];
    struct problem_list problems;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)signal(signals[i], SIG_DFL);
    }
    (void)snprintf(source, sizeof(source), "%s/fsd.yaml", run->folder);
    (void)snprintf(log, sizeof(log), "%s/log", run->folder);
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    (void)dup2(fd, STDERR_FILENO);
    (void)close(fd);
    struct master_options options = {.worker_path = run->worker, .load = load, .source = source};
    problem_list_init(&problems);
    struct conf *conf = load(&options, &problems);
    problem_list_fini(&problems);
    faults_is_watching = true;
    int exit_code = master_run(conf, &options);
    faults_is_watching = false;
    exit(exit_code);
}

static void start(struct run *run)
{
    write_conf(run, "count: 1, standby: 1, intensity: 1000", "log: { level: info }\n");
    run->pid = fork();
    assert_true(run->pid >= 0);
    if (run->pid == 0) {
        be_daemon(run);
    }
}

/* Whether the daemon has ended; how is then noted. */
static bool has_ended(struct run *run)
{
    int status = 0;
    if (run->pid != 0 && waitpid(run->pid, &status, WNOHANG) == run->pid) {
        run->pid = 0;
        run->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return run->pid == 0;
}

static void rest(void)
{
    const struct timespec moment = {.tv_nsec = 500000};
    (void)nanosleep(&moment, NULL);
}

/* A connection to the daemon, or -1 when it has ended. */
static int connect_to_daemon(struct run *run)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/c.sock", run->folder);
    for (uint64_t end_ms = clock_monotonic_ms() + ANSWER_MS; clock_monotonic_ms() < end_ms;
         rest()) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
            return fd;
        }
        (void)close(fd);
        if (has_ended(run)) {
            break;
        }
    }
    return -1;
}

/* One line to the daemon, one from it: in run->answer, "" when it hung up or took too long. */
static void exchange(struct run *run, const char *line)
{
    size_t len = 0;
    memset(run->answer, 0, sizeof(run->answer)); /* what is read is a text at any time */
    int fd = connect_to_daemon(run);
    if (fd < 0) {
        return;
    }
    (void)send(fd, line, strlen(line), MSG_NOSIGNAL); /* the answer tells */
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (len < ANSWER_MAX - 1 && poll(&readable, 1, ANSWER_MS) == 1) {
        ssize_t got = recv(fd, run->answer + len, ANSWER_MAX - 1 - len, 0);
        if (got <= 0 || memchr(run->answer + len, '\n', (size_t)got) != NULL) {
            break;
        }
        len += (size_t)got;
    }
    (void)close(fd);
}

static void ask(struct run *run, const char *method, const char *params)
{
    char line[256];
    (void)snprintf(line, sizeof(line),
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method,
                   params);
    exchange(run, line);
}

#define FAULTS_PATH "FSD_TEST_FAULTS" /* variable of the environment: the file of the faults */
#define KILL        "kill"            /* no method: the first worker that status names */
#define START       "start"           /* the same worker starts a pool */
#define STOP        "stop"            /* and stops it */

static const struct {
    const char *method;
    const char *params;
} paces[] = {
    {"wait", "{\"for\":\"ready\"}"},
    {"status", "{}"},
    {KILL, ""},
    {"wait", "{\"for\":\"ready\"}"},
    {"config.check", "{}"},
    {"config.plan", "{}"},
    {"config.apply", "{}"},
    {"config.show", "{\"origin\":true}"},
    {"config.history", "{}"},
    {"events", "{}"},
    {"scale", "{\"pool\":\"web\",\"count\":1}"},
    {"config.diff", "{}"},
    {"config.rollback", "{}"},
    {START, ""},
    {"config.apply", "{}"},
    {"reload", "{}"},
    {"reload", "{\"restart\":true}"},
    {"crashes", "{}"},
    {"drain", "{}"},
    {"resume", "{}"},
    {"upgrade", "{}"},
    {"wait", "{\"for\":\"ready\"}"},
    {STOP, ""},
};

/* A pidfd of the worker that the last answer names first, or a negative number. */
static int open_worker(const struct run *run)
{
    const char *workers = strstr(run->answer, "\"workers\":[");
    const char *pid = workers == NULL ? NULL : strstr(workers, "\"pid\":");
    long number = pid == NULL ? 0 : strtol(pid + strlen("\"pid\":"), NULL, 10);
    return number > 1 ? pidfd_open((pid_t)number, 0) : -1;
}

/* The worker that the last answer names first.  It is dead when this returns, and the daemon hears of that before of what it is
 * asked next: asked earlier, a change of the configuration would be refused, for its worker died. */
static void kill_worker(struct run *run)
{
    struct pollfd dead = {.fd = open_worker(run), .events = POLLIN};
    if (dead.fd < 0) {
        return;
    }
    (void)pidfd_send_signal(dead.fd, SIGKILL, NULL, 0);
    assert_int_equal(poll(&dead, 1, ANSWER_MS), 1);
    (void)close(dead.fd);
}

/* The last lines that it wrote. */
static void print_log(const struct run *run)
{
    char command[64];
    (void)snprintf(command, sizeof(command), "tail -n 20 %s/log >&2", run->folder);
    if (system(command) != 0) { /* NOLINT: the name is our own */
        print_error("there is no log\n");
    }
}

/* Has the worker order, and waits until the pool is there, or gone, or the fault was met. */
static void order(struct run *run, int number)
{
    bool is_start = number == SIGUSR1;
    ask(run, "status", "{}");
    int worker = open_worker(run);
    if (worker >= 0) {
        (void)pidfd_send_signal(worker, number, NULL, 0);
        (void)close(worker);
    }
    for (uint64_t end_ms = clock_monotonic_ms() + ANSWER_MS; !faults->was_met && !has_ended(run);
         rest()) {
        ask(run, "status", "{}");
        bool is_there = strstr(run->answer, "\"name\":\"extra\"") != NULL;
        if (strstr(run->answer, "\"result\"") != NULL && is_there == is_start) {
            return;
        }
        if (clock_monotonic_ms() > end_ms) {
            print_log(run);
            fail_msg("the pool is %s: %s", is_start ? "not there" : "there still", run->answer);
        }
    }
}

static void take_pace(struct run *run, const char *method, const char *params)
{
    if (strcmp(method, KILL) == 0) {
        kill_worker(run);
        return;
    }
    if (strcmp(method, START) == 0 || strcmp(method, STOP) == 0) {
        order(run, strcmp(method, START) == 0 ? SIGUSR1 : SIGUSR2);
        return;
    }
    if (strcmp(method, "config.check") == 0) {
        write_conf(run, "count: 2, standby: 1, intensity: 1000, limits: { keepalive: 9s }",
                   "log: { level: debug }\n");
    }
    ask(run, method, params);
    if (faults->wanted.id == 0 && strstr(run->answer, "\"result\"") == NULL) {
        fail_msg("%s: %s", method, run->answer);
    }
}

/* Up to where the fault was met. */
static void put_through_its_paces(struct run *run)
{
    for (size_t i = 0; i < sizeof(paces) / sizeof(paces[0]) && !has_ended(run); i++) {
        take_pace(run, paces[i].method, paces[i].params);
        if (faults->was_met) {
            return;
        }
    }
}

/* It lives, so it answers: at the third attempt at the latest, for one may have met the fault. */
static void expect_answer(struct run *run)
{
    for (int i = 0; i < 3; i++) {
        ask(run, "status", "{}");
        if (strstr(run->answer, "\"result\"") != NULL || has_ended(run)) {
            return;
        }
    }
    print_log(run);
    fail_msg("the daemon lives and does not answer: \"%s\"", run->answer);
}

static void end(struct run *run)
{
    if (!has_ended(run)) {
        (void)kill(run->pid, SIGTERM);
    }
    for (uint64_t end_ms = clock_monotonic_ms() + END_MS; !has_ended(run); rest()) {
        if (clock_monotonic_ms() > end_ms) {
            (void)kill(run->pid, SIGABRT);
            faults_print(&faults->wanted);
            print_log(run);
            fail_msg("the daemon does not end");
        }
    }
}

static void check_end(struct run *run, const struct faults_site *site)
{
    if (site->id == 0) {
        assert_int_equal(run->exit_code, FSD_EXIT_OK);
    }
    static const int good[] = {FSD_EXIT_OK, FSD_EXIT_LOAD, FSD_EXIT_INTERNAL, FSD_EXIT_BIND};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (run->exit_code == good[i]) {
            return;
        }
    }
    faults_print(site);
    print_log(run);
    fail_msg("it failed, and the daemon ended with %d", run->exit_code);
}

static void one_failure_of_anything_ends_in_order_or_is_survived(void **state)
{
    struct run *run = *state;
    size_t met = 0;
    size_t ended = 0;
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/faults", run->folder);
    faults = faults_open(path);
    assert_non_null(faults);
    assert_int_equal(setenv(FAULTS_PATH, path, 1), 0);
    for (size_t i = 0; i <= faults->count; i += STRIDE) { /* the first one lists the places */
        start(run);
        put_through_its_paces(run);
        if (!has_ended(run)) {
            expect_answer(run);
        }
        end(run);
        check_end(run, &faults->wanted);
        met += faults->was_met;
        ended += run->exit_code != 0;
        faults->wanted = faults->sites[i];
        faults->was_met = false;
    }
    print_message("%zu places, %zu met again, %zu ends\n", faults->count, met, ended);
    assert_true(met > 100 / STRIDE);
    assert_true(met > faults->count / STRIDE * 3 / 4);
}

/* After an upgrade, or in its trial. */
static int resume(int argc, char **argv)
{
    const char *path = getenv(FAULTS_PATH);
    faults = path == NULL ? NULL : faults_open(path);
    faults_is_watching = faults != NULL;
    int exit_code = upgrade_resume_main(argc, argv);
    faults_is_watching = false;
    return exit_code;
}

int main(int argc, char **argv)
{
    int exit_code = 0;
    if (worker_stub_main(argc, argv, &exit_code)) {
        return exit_code;
    }
    if (upgrade_resume_is_asked(argc, argv)) {
        return resume(argc, argv);
    }
    faults_fix_addresses(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_failure_of_anything_ends_in_order_or_is_survived,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
