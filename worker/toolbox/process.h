#ifndef FSD_WORKER_TOOLBOX_PROCESS_H
#define FSD_WORKER_TOOLBOX_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/timer.h"
#include "worker/core/watch.h"
#include "worker/toolbox/spawn.h"

struct runtime;

enum process_end {
    PROCESS_RUNS,
    PROCESS_ENDED,   /* by itself, or by somebody else */
    PROCESS_LATE,    /* its time was over */
    PROCESS_FLOODED, /* it wrote more than it may */
    PROCESS_LEFT,    /* nobody waits for it any more */
};

/* What a program has written. */
struct process_output {
    struct process *process; /* borrowed */
    int fd;                  /* owned; -1: it has ended, or is not read */
    struct watch watch;
    char *bytes; /* owned */
    size_t len;
    size_t capacity;
};

/* A program that runs, with what it reads and writes.  On the heap: it may outlive the task that started it. */
struct process {
    struct runtime *runtime; /* borrowed */
    struct spawn spawn;
    struct watch death;
    int input_fd; /* owned; -1: all is written, or nobody reads it */
    struct watch input_watch;
    const char *input; /* borrowed from Lua until the end, or until it is left */
    size_t input_len;
    struct process_output outputs[2]; /* stdout, stderr */
    size_t output_max;
    struct timer limit;
    uint64_t patience_ms; /* between TERM and KILL */
    enum process_end end;
    int status;               /* waitpid's */
    struct process_set *set;  /* borrowed */
    struct process *previous; /* borrowed: of the set */
    struct process *next;
    /* It has ended, and was not left; the process is the caller's again. */
    void (*on_end)(struct process *process);
    void *data; /* borrowed: the caller's */
};

struct process_set {
    struct process *first; /* owned list of those that run */
    unsigned count;
};

enum process_stderr { PROCESS_STDERR_OWN, PROCESS_STDERR_WITH_STDOUT, PROCESS_STDERR_LOG };

struct process_plan {
    struct spawn_plan spawn; /* without descriptors */
    const char *input;       /* NULL: it reads nothing */
    size_t input_len;
    enum process_stderr errors;
    size_t output_max;
    uint64_t limit_ms; /* 0: none */
    uint64_t patience_ms;
};

/* Starts it in a process group of its own.  0 and the process, or a negative errno. */
int process_start(struct runtime *runtime, struct process_set *set, const struct process_plan *plan,
                  struct process **ret_process);
/* Nobody waits for it any more: it is killed with all of its group, and freed when it is gone.  Of one that has ended, at once. */
void process_leave(struct process *process);
/* Kills all, and waits. */
void process_set_fini(struct process_set *set);

#endif
