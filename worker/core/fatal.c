/* fatal.c - the last words of a worker that a signal ends.
 * Owns the alternate stack and one static, because a handler of a signal is given nothing else.  The master is told first: with that
 * it starts the replacement before the kernel has torn our memory down.  Then the black box is filled, step by step, each
 * guarded: a second fault abandons its step and goes on with the next.  At last the signal gets what it had before (its default,
 * or a sanitizer's handler) and ends us, so that the exit status shows it.
 * A signal that somebody sent while Lua runs (a stuck worker, SIGQUIT) is put off for a moment: Lua knows the line it is at only
 * between two instructions, so a hook is armed and ends us there; a timer does where no instruction comes any more.
 * Called by main.c.  Must not know what the master makes of it. */
#include "worker/core/fatal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "common/blackbox.h"
#include "common/proto.h"
#include "worker/core/fatal_trace.h"
#include "worker/core/runtime.h"

enum { STACK_SIZE = 128 * 1024, HOOK_WAIT_US = 100000 };

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP, SIGQUIT};
enum { SIGNAL_COUNT = sizeof(signals) / sizeof(signals[0]) };

static struct fatal {
    struct runtime *runtime;                 /* borrowed */
    struct blackbox_death_entry *death;      /* borrowed; NULL: no box */
    int control_fd;                          /* borrowed */
    struct sigaction previous[SIGNAL_COUNT]; /* what the signals did before */
    volatile sig_atomic_t signal;            /* 0: nothing has happened */
    volatile sig_atomic_t is_put_off;        /* until the hook or the timer */
    volatile sig_atomic_t step;              /* the one that is under way */
    siginfo_t info;                          /* of the first signal */
    uint64_t place;                          /* the interrupted instruction */
    sigjmp_buf next_step;
} fatal;

static bool is_sent(void)
{
    return fatal.info.si_code <= 0;
}

static void tell_master(void)
{
    struct {
        struct proto_head head;
        struct proto_dying body;
    } packet = {{PROTO_DYING, sizeof(struct proto_dying)}, {(uint64_t)fatal.signal}};
    /* a full or closed channel: the exit status says it later */
    (void)send(fatal.control_fd, &packet, sizeof(packet), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void note_signal(void)
{
    if (fatal.death != NULL) {
        fatal.death->code = fatal.info.si_code;
        if (fatal.info.si_code <= 0) {
            fatal.death->sender = fatal.info.si_pid;
        } else {
            fatal.death->address = (uint64_t)(uintptr_t)fatal.info.si_addr;
        }
        atomic_store_explicit(&fatal.death->signal, (uint64_t)fatal.signal, memory_order_release);
    }
}

static void trace_frames(void)
{
    if (fatal.death != NULL) {
        fatal_trace_frames(fatal.death, fatal.place);
    }
}

static void name_frames(void)
{
    if (fatal.death != NULL) {
        fatal_trace_names(fatal.death);
    }
}

/* The Lua thread that is on the CPU: a task's, or the main one while an application loads. */
static lua_State *find_thread(void)
{
    const struct task *task = fatal.runtime->tasks.running;
    return task != NULL ? task->L : fatal.runtime->L;
}

static void trace_lua(void)
{
    if (fatal.death != NULL) {
        fatal_trace_lua(fatal.death, find_thread());
    }
}

static void end(void);

static void on_lua_hook(lua_State *L, lua_Debug *activation)
{
    (void)L;
    (void)activation;
    trace_lua();
    end();
}

/* Arms the hook where it makes the Lua stack better. */
static void put_off(void)
{
    if (fatal.death == NULL || fatal.info.si_code > 0 || fatal.info.si_pid == getpid() ||
        fatal.death->lua_len == 0) {
        return;
    }
    slice_silence(); /* it would arm its own */
    lua_sethook(fatal_trace_innermost(find_thread()), on_lua_hook, LUA_MASKCOUNT, 1);
    struct itimerval limit = {.it_value.tv_usec = HOOK_WAIT_US};
    fatal.is_put_off = setitimer(ITIMER_REAL, &limit, NULL) == 0;
}

static void (*const steps[])(void) = {tell_master, note_signal, trace_frames,
                                      name_frames, trace_lua,   put_off};
enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

static struct sigaction find_previous(int number)
{
    size_t i = 0;
    while (i < SIGNAL_COUNT - 1 && signals[i] != number) {
        i++;
    }
    return fatal.previous[i];
}

/* Does not return, but to a fault's instruction, which faults again for a handler of before. */
static void end(void)
{
    if (fatal.death != NULL) {
        atomic_store_explicit(&fatal.death->is_finished, 1, memory_order_release);
    }
    struct sigaction before = find_previous((int)fatal.signal);
    bool is_chained = (before.sa_flags & SA_SIGINFO) != 0;
    if (!is_chained) {
        before.sa_handler = SIG_DFL; /* never SIG_IGN */
    }
    (void)sigaction((int)fatal.signal, &before, NULL);
    if (!is_chained || is_sent()) {
        (void)raise((int)fatal.signal);
    }
}

static void on_limit(int number)
{
    (void)number;
    end();
}

static uint64_t get_place(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uint64_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return context->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

/* cppcheck-suppress constParameter ; sigaction wants this type */
static void on_fatal(int number, siginfo_t *info, void *context)
{
    if (fatal.is_put_off) {
        end();
        return;
    }
    if (fatal.signal != 0) {
        siglongjmp(fatal.next_step, 1); /* a step has failed */
    }
    fatal.signal = number;
    fatal.info = *info;
    fatal.place = get_place(context);
    for (fatal.step = 0; fatal.step < STEP_COUNT; fatal.step++) {
        if (sigsetjmp(fatal.next_step, 0) == 0) {
            steps[fatal.step]();
        }
    }
    if (!fatal.is_put_off) {
        end();
    }
}

/* A stack that has run over can't carry the handler.  A sanitizer may have made one already. */
static void make_stack(void)
{
    stack_t stack;
    if (sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE) == 0) {
        return;
    }
    void *memory = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
        abort();
    }
    stack = (stack_t){.ss_sp = memory, .ss_size = STACK_SIZE};
    (void)sigaltstack(&stack, NULL); /* fails for bad arguments only */
}

void fatal_open(struct runtime *runtime, int control_fd)
{
    fatal.runtime = runtime;
    fatal.death = runtime->recorder.box != NULL ? &runtime->recorder.box->death : NULL;
    fatal.control_fd = control_fd;
    fatal_trace_prepare();
    make_stack();
    struct sigaction limit = {.sa_handler = on_limit, .sa_flags = SA_ONSTACK};
    (void)sigaction(SIGALRM, &limit, NULL);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        /* NODEFER: a second fault comes to us, too, instead of ending the process at once */
        struct sigaction action = {.sa_sigaction = on_fatal,
                                   .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
        (void)sigaction(signals[i], &action, &fatal.previous[i]);
    }
}
