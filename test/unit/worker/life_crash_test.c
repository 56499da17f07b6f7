/* A whole worker in a child process that is killed in the middle of its work, and what its black box tells then. */
#include "worker/life.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "common/blackbox.h"
#include "common/clock.h"
#include "test/support/worker_child.h"
#include "worker/core/fatal.h"

static int box_fd;
static const struct blackbox *box;
static struct blackbox_copy copy;

static void prepare(struct runtime *runtime)
{
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer's */
    runtime->incarnation = 0x17;
    runtime->slice.limit_ticks = UINT_MAX; /* Lua that spins stands for what can't be preempted */
    if (recorder_open(&runtime->recorder, box_fd) != 0) {
        _exit(FSD_EXIT_INTERNAL);
    }
    fatal_open(runtime, PROTO_FD_CONTROL);
}

static int set_up_box(void **state)
{
    int fd = blackbox_create();
    box_fd =
        fcntl(fd, F_DUPFD_CLOEXEC, PROTO_FD_END); /* the child's control channel gets number 3 */
    fd_close(&fd);
    box = blackbox_map(box_fd, false);
    assert_non_null(box);
    prepare_child = prepare;
    return set_up(state);
}

static int tear_down_box(void **state)
{
    fd_close(&box_fd);
    blackbox_unmap(box);
    return tear_down(state);
}

static const char crashing[] = "local fsd = require 'fsd' local app = fsd.app()\n"
                               "app:get('/', function() return 'hello' end)\n"
                               "app:get('/bad', function() error 'boom' end)\n"
                               "app:get('/spin', function()\n"
                               "  local n = 0\n"
                               "  while true do\n"
                               "    n = n + 1\n"
                               "  end\n"
                               "end)\n"
                               "local function inner()\n"
                               "  while true do end\n"
                               "end\n"
                               "app:get('/coroutine', function()\n"
                               "  coroutine.wrap(function()\n"
                               "    local co = coroutine.create(function() inner() end)\n"
                               "    coroutine.resume(co)\n"
                               "  end)()\n"
                               "end)\n"
                               "app:get('/find', function()\n"
                               "  return string.rep('a', 1e6):find(string.rep('.-', 9) .. 'b')\n"
                               "end)\n"
                               "app:get('/wait', function() fsd.task.sleep(1000) end)\n"
                               "return app";

static struct sockaddr_in serve_crashing(void)
{
    expect(PROTO_HELLO);
    tell_config();
    tell_load(3, crashing);
    expect(PROTO_LOADED);
    struct sockaddr_in address = tell_listener(0);
    tell_activate(3);
    expect(PROTO_ACTIVE);
    return address;
}

/* The caller closes the connection. */
static int ask_as(const char *id, struct sockaddr_in address, const char *path)
{
    char text[256];
    int fd = connect_to(address);
    int len = snprintf(text, sizeof(text),
                       "GET %s?secret=1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: %s\r\n\r\n", path, id);
    assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
    return fd;
}

static void assert_asked_as(const char *id, struct sockaddr_in address, const char *path,
                            const char *wanted)
{
    int fd = ask_as(id, address, path);
    assert_answered(fd, wanted);
    fd_close(&fd);
}

static uint64_t get_cpu_ms(void)
{
    clockid_t clock;
    struct timespec used;
    assert_int_equal(clock_getcpuclockid(worker, &clock), 0);
    assert_int_equal(clock_gettime(clock, &used), 0);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* Until Lua has been on the CPU for that so long that it can only be in its endless loop. */
static void wait_for(enum blackbox_kind kind)
{
    uint64_t end_ms = clock_monotonic_ms() + WAIT_S * 1000;
    struct blackbox_now now;
    do {
        assert_true(clock_monotonic_ms() < end_ms);
        (void)sched_yield();
        blackbox_read_now(box, &now);
    } while (now.kind != kind);
    uint64_t enough_ms = get_cpu_ms() + 50;
    while (get_cpu_ms() < enough_ms) {
        assert_true(clock_monotonic_ms() < end_ms);
        (void)sched_yield();
    }
}

/* Until the newest request is of that path, its handler was called, and Lua has let go. */
static void wait_for_wait(const char *path)
{
    uint64_t end_ms = clock_monotonic_ms() + WAIT_S * 1000;
    struct blackbox_now now;
    do {
        assert_true(clock_monotonic_ms() < end_ms);
        (void)sched_yield();
        blackbox_read(box, &copy);
        blackbox_read_now(box, &now);
    } while (now.kind != BLACKBOX_NOTHING || strcmp(copy.requests[0].path, path) != 0 ||
             copy.requests[0].place[0] == '\0');
}

/* The worker has ended by the signal; its box is in copy. */
static void kill_with(int number)
{
    int status = 0;
    assert_int_equal(kill(worker, number), 0);
    assert_int_equal(waitpid(worker, &status, 0), worker);
    worker = 0;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), number);
    blackbox_read(box, &copy);
}

static void assert_spinning(const char *path)
{
    assert_int_equal(copy.now.kind, BLACKBOX_REQUEST);
    assert_true(copy.now.has_request);
    assert_string_equal(copy.now.request.path, path);
    assert_string_equal(copy.now.request.id, "mine");
    assert_true(copy.now.request.is_open);
    assert_int_equal(copy.now.request.generation, 3);
}

static void assert_past(void)
{
    assert_int_equal(copy.request_count, 3);
    assert_string_equal(copy.requests[1].path, "/bad");
    assert_int_equal(copy.requests[1].status, 500);
    assert_string_equal(copy.requests[1].place, "app.lua:3");
    assert_string_equal(copy.requests[2].path, "/");
    assert_string_equal(copy.requests[2].id, "first");
    assert_int_equal(copy.requests[2].status, 200);
    assert_false(copy.requests[2].is_open);
    const char *line = copy.lines[copy.line_count - 1].text;
    assert_non_null(strstr(line, "boom method=GET path=/bad request_id=17-"));
    assert_non_null(strstr(line, "\nstack traceback:\n"));
}

/* Two requests that are over, and one that is on the CPU for ever. */
static int spin(const char *path)
{
    struct sockaddr_in address = serve_crashing();
    assert_asked_as("first", address, "/", " 200 ");
    assert_asked_as("", address, "/bad", " 500 ");
    int fd = ask_as("mine", address, path);
    wait_for(BLACKBOX_REQUEST);
    return fd;
}

static void one_killed_outright_leaves_what_it_was_doing(void **state)
{
    (void)state;
    int fd = spin("/spin");
    kill_with(SIGKILL);
    assert_spinning("/spin");
    assert_string_equal(copy.now.request.place, "app.lua:4");
    assert_past();
    assert_false(copy.death.is_noted);
    fd_close(&fd);
}

static void an_endless_loop_leaves_the_line_it_was_at(void **state)
{
    (void)state;
    int fd = spin("/spin");
    kill_with(SIGABRT);
    expect(PROTO_DYING);
    assert_spinning("/spin");
    assert_past();
    assert_int_equal(copy.death.signal, SIGABRT);
    assert_int_equal(copy.death.sender, getpid());
    assert_true(copy.death.is_finished);
    const char *lua_stack = copy.death.lua_stack;
    assert_true(strstr(lua_stack, "app.lua:7: in function <app.lua:4>") == lua_stack ||
                strstr(lua_stack, "app.lua:6: in function <app.lua:4>") == lua_stack);
    assert_true(copy.death.frame_count > 0);
    fd_close(&fd);
}

static void a_loop_in_a_coroutine_leaves_the_whole_way_to_it(void **state)
{
    (void)state;
    int fd = spin("/coroutine");
    kill_with(SIGQUIT);
    assert_string_equal(copy.death.lua_stack, "app.lua:11: in function 'inner'\n"
                                              "app.lua:15: in function <app.lua:15>\n"
                                              "[C]: in function 'resume'\n"
                                              "app.lua:16: in function <app.lua:14>\n"
                                              "app.lua:14: in function <app.lua:13>\n");
    fd_close(&fd);
}

static void a_loop_in_a_c_function_is_ended_without_its_help(void **state)
{
    (void)state;
    int fd = spin("/find");
    kill_with(SIGABRT);
    assert_string_equal(copy.death.lua_stack, "[C]: in function 'find'\n"
                                              "app.lua:20: in function <app.lua:19>\n");
    fd_close(&fd);
}

static void a_segmentation_fault_leaves_a_c_backtrace(void **state)
{
    (void)state;
    struct sockaddr_in address = serve_crashing();
    assert_asked_as("", address, "/", " 200 ");
    int fd = ask_as("mine", address, "/wait");
    wait_for_wait("/wait");
    kill_with(SIGSEGV);
    expect(PROTO_DYING);
    assert_int_equal(copy.now.kind, BLACKBOX_NOTHING);
    assert_int_equal(copy.request_count, 2);
    assert_string_equal(copy.requests[0].id, "mine");
    assert_true(copy.requests[0].is_open);
    assert_int_equal(copy.death.signal, SIGSEGV);
    assert_string_equal(copy.death.lua_stack, "");
    bool has_loop = false;
    for (unsigned i = 0; i < copy.death.frame_count; i++) {
        has_loop = has_loop || strstr(copy.death.frames[i].text, "(h2o_evloop_run+0x") != NULL;
    }
    assert_true(has_loop);
    fd_close(&fd);
}

static void one_that_does_not_come_to_an_end_of_loading_says_so(void **state)
{
    (void)state;
    expect(PROTO_HELLO);
    tell_config();
    tell_load(3, "local n = 0\n"
                 "repeat n = n + 1 until n < 0\n");
    wait_for(BLACKBOX_LOAD);
    kill_with(SIGABRT);
    assert_int_equal(copy.now.kind, BLACKBOX_LOAD);
    assert_string_equal(copy.now.name, "app.lua");
    assert_int_equal(copy.now.generation, 3);
    assert_memory_equal(copy.death.lua_stack, "app.lua:2: in main chunk\n", 25);
}

static void sigterm_asks_to_be_replaced_once_and_serves_on(void **state)
{
    (void)state;
    struct sockaddr_in address = serve_crashing();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kill(worker, SIGTERM), 0);
        assert_asked_as("", address, "/", " 200 ");
    }
    expect(PROTO_LEAVE);
    tell_drain(0);
    expect(PROTO_DRAINING);
    assert_exit(FSD_EXIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_box, tear_down_box)
        TEST(one_killed_outright_leaves_what_it_was_doing),
        TEST(an_endless_loop_leaves_the_line_it_was_at),
        TEST(a_loop_in_a_coroutine_leaves_the_whole_way_to_it),
        TEST(a_loop_in_a_c_function_is_ended_without_its_help),
        TEST(a_segmentation_fault_leaves_a_c_backtrace),
        TEST(one_that_does_not_come_to_an_end_of_loading_says_so),
        TEST(sigterm_asks_to_be_replaced_once_and_serves_on),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
