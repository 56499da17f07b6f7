/* Children that end in every bad way, and what they leave in their black box. */
#include "worker/core/fatal.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/blackbox.h"
#include "common/proto.h"
#include "worker/core/runtime.h"

enum { PAGE_BYTES = 4096, CHAINED = 42, WAIT_S = 10 };

static struct runtime runtime; /* of the child; a copy of it in the parent has the box */
static char *forbidden;        /* a page that may not be touched */
static int channel[2];
static struct blackbox_copy copy;
static volatile int keep;

static int open_all(void **state)
{
    (void)state;
    int fd = blackbox_create();
    struct timeval limit = {.tv_sec = WAIT_S};
    assert_int_equal(recorder_open(&runtime.recorder, fd), 0);
    (void)close(fd);
    forbidden = mmap(NULL, PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(forbidden, MAP_FAILED);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel), 0);
    return setsockopt(channel[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static int close_all(void **state)
{
    (void)state;
    recorder_close(&runtime.recorder);
    (void)munmap(forbidden, PAGE_BYTES);
    (void)close(channel[0]);
    (void)close(channel[1]);
    return 0;
}

static void write_forbidden(void)
{
    *(volatile char *)(forbidden + 16) = 1;
}

static void read_behind_file(void)
{
    int fd = memfd_create("empty", MFD_CLOEXEC);
    const volatile char *bytes = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    keep = bytes[0];
}

static void call_nowhere(void)
{
    void (*volatile function)(void) = NULL;
    function();
}

static int recurse(int depth)
{
    volatile char room[1024];
    room[0] = (char)depth;
    return depth == INT_MAX ? 0 : recurse(depth + 1) + room[0];
}

static void overflow_stack(void)
{
    keep = recurse(0);
}

static void trap(void)
{
    __builtin_trap();
}

static void raise_fpe(void)
{
    (void)raise(SIGFPE);
}

static void raise_sys(void)
{
    (void)raise(SIGSYS);
}

static void raise_trap(void)
{
    (void)raise(SIGTRAP);
}

static void raise_quit(void)
{
    (void)raise(SIGQUIT);
}

/* The Lua state that is on the CPU can't be read: a second fault, in the handler. */
static void crash_with_broken_lua(void)
{
    runtime.tasks.running = (struct task *)(void *)forbidden;
    write_forbidden();
}

/* What a sanitizer's run-time library does; here the tests want the process to end by the signal. */
static void reset_signals(void)
{
    static const int all[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP, SIGQUIT};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        (void)signal(all[i], SIG_DFL);
    }
}

static void on_chained(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    _exit(CHAINED);
}

static void chain(void)
{
    struct sigaction action = {.sa_sigaction = on_chained, .sa_flags = SA_SIGINFO};
    (void)sigaction(SIGSEGV, &action, NULL);
    (void)sigaction(SIGABRT, &action, NULL);
}

/* Runs crash in a child and returns how that ended. */
static int run(void (*crash)(void), void (*prepare)(void))
{
    const struct rlimit no_core = {0, 0};
    pid_t child = fork();
    if (child == 0) {
        struct recorder recorder = runtime.recorder;
        (void)setrlimit(RLIMIT_CORE, &no_core);
        reset_signals();
        runtime_init(&runtime);
        runtime.recorder = recorder;
        if (prepare != NULL) {
            prepare();
        }
        fatal_open(&runtime, channel[1]);
        crash();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    blackbox_read(runtime.recorder.box, &copy);
    return status;
}

static void assert_told(int number)
{
    struct {
        struct proto_head head;
        struct proto_dying body;
    } packet;
    assert_int_equal(recv(channel[0], &packet, sizeof(packet), 0), sizeof(packet));
    assert_int_equal(packet.head.kind, PROTO_DYING);
    assert_int_equal(packet.head.size, sizeof(packet.body));
    assert_int_equal(packet.body.signal, number);
}

static const struct row {
    void (*crash)(void);
    int signal;
} rows[] = {
    {write_forbidden, SIGSEGV},
    {call_nowhere, SIGSEGV},
    {overflow_stack, SIGSEGV},
    {read_behind_file, SIGBUS},
    {trap, SIGILL},
    {raise_fpe, SIGFPE},
    {abort, SIGABRT},
    {raise_sys, SIGSYS},
    {raise_trap, SIGTRAP},
    {raise_quit, SIGQUIT},
    {crash_with_broken_lua, SIGSEGV},
};

static void each_fatal_signal_is_told_noted_and_ends_the_process(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (i > 0) {
            (void)close_all(state);
            assert_int_equal(open_all(state), 0);
        }
        int status = run(rows[i].crash, NULL);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), rows[i].signal);
        assert_told(rows[i].signal);
        assert_true(copy.death.is_noted);
        assert_int_equal(copy.death.signal, rows[i].signal);
        assert_true(copy.death.is_finished);
        assert_true(copy.death.frame_count > 0);
        assert_string_equal(copy.death.lua_stack, "");
    }
}

static void a_fault_leaves_its_address_and_the_stack_from_there(void **state)
{
    (void)state;
    (void)run(write_forbidden, NULL);
    assert_int_equal(copy.death.code, SEGV_ACCERR);
    assert_int_equal(copy.death.address, (uintptr_t)forbidden + 16);
    assert_int_equal(copy.death.sender, 0);
    uint64_t place = copy.death.frames[0].address; /* in that very function, not in the handler */
    assert_true(place >= (uintptr_t)write_forbidden);
    assert_true(place < (uintptr_t)write_forbidden + 256);
    assert_memory_equal(copy.death.frames[0].text, "fatal_test(+0x", 14);
    bool has_libc = false;
    for (unsigned i = 0; i < copy.death.frame_count; i++) {
        has_libc = has_libc || strstr(copy.death.frames[i].text, "__libc_start_main+0x") != NULL;
    }
    assert_true(has_libc);
}

static void a_signal_that_was_sent_leaves_the_sender(void **state)
{
    (void)state;
    (void)run(raise_quit, NULL);
    assert_true(copy.death.sender > 0);
    assert_int_equal(copy.death.address, 0);
}

static void the_handler_of_before_runs_afterwards(void **state)
{
    (void)state;
    void (*const crashes[])(void) = {write_forbidden, abort};
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
        int status = run(crashes[i], chain);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), CHAINED);
        assert_true(copy.death.is_finished);
    }
}

static void lose_box(void)
{
    runtime.recorder.box = NULL;
}

static void without_a_box_the_master_is_told_all_the_same(void **state)
{
    (void)state;
    int status = run(write_forbidden, lose_box);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    assert_told(SIGSEGV);
    assert_false(copy.death.is_noted);
}

static void a_full_channel_does_not_hold_it_up(void **state)
{
    (void)state;
    while (send(channel[1], "x", 1, MSG_DONTWAIT) == 1) {
    }
    int status = run(write_forbidden, NULL);
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    assert_true(copy.death.is_finished);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(each_fatal_signal_is_told_noted_and_ends_the_process),
        TEST(a_fault_leaves_its_address_and_the_stack_from_there),
        TEST(a_signal_that_was_sent_leaves_the_sender),
        TEST(the_handler_of_before_runs_afterwards),
        TEST(without_a_box_the_master_is_told_all_the_same),
        TEST(a_full_channel_does_not_hold_it_up),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
