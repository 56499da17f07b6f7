#ifndef FSD_TEST_SUPPORT_WORKER_STUB_H
#define FSD_TEST_SUPPORT_WORKER_STUB_H

/* A stand-in for fsd-worker that is up within a millisecond: it speaks the contract and serves nobody.  On SIGUSR1 it starts the pool
 * "extra" and asks for the list of all, on SIGUSR2 it stops it.  A test program that is its own fsd-worker calls this first in main.
 * Include cmocka.h before this. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/page.h"
#include "common/wire.h"

enum { WORKER_STUB_BEAT_MS = 200 };

/* `fsd-worker --tool bundle`: any byte is code. */
static inline int worker_stub_bundle(void)
{
    bool is_written = write(PROTO_FD_BUNDLE, "x", 1) == 1;
    (void)printf("%064d 1 1\n", 0);
    (void)fflush(stdout);
    return is_written ? FSD_EXIT_OK : FSD_EXIT_INTERNAL;
}

static inline void worker_stub_say(enum proto_kind kind, const void *payload, size_t size)
{
    (void)wire_send(PROTO_FD_CONTROL, kind, payload, size, -1);
}

/* The signal that says what to ask for; 0: nothing. */
static volatile sig_atomic_t worker_stub_wish;

static inline void worker_stub_on_signal(int number)
{
    worker_stub_wish = number;
}

/* One question at a time: whoever sends the signals sees to that. */
static inline void worker_stub_ask(enum proto_ask_what what)
{
    static const char options[] = "{\"app\":\"shop\",\"count\":1,\"standby\":0,\"intensity\":1000,"
                                  "\"listeners\":{\"x\":{\"listen\":\"127.0.0.1:0\"}}}";
    struct proto_ask body = {.what = what, .name = "extra"};
    (void)wire_send_text(PROTO_FD_CONTROL, PROTO_ASK, &body, sizeof(body),
                         what == PROTO_ASK_START ? options : "");
}

static inline void worker_stub_follow_wish(void)
{
    int wish = worker_stub_wish;
    worker_stub_wish = 0;
    if (wish != 0) {
        worker_stub_ask(wish == SIGUSR1 ? PROTO_ASK_START : PROTO_ASK_STOP);
    }
}

static inline void worker_stub_on_answer(const struct wire_message *message)
{
    static bool has_listed;
    (void)message;
    if (!has_listed) {
        has_listed = true;
        worker_stub_ask(PROTO_ASK_LIST);
    }
}

/* What was LOADED is the generation of what is then ACTIVE. */
static inline void worker_stub_hear(const struct wire_message *message)
{
    struct proto_generation code = {0};
    static uint64_t prepared; /* the generation */
    struct proto_transaction change = {0};
    switch (message->head.kind) {
    case PROTO_LOAD:
        memcpy(&code, message->payload, sizeof(code));
        worker_stub_say(PROTO_LOADED, &code, sizeof(code));
        break;
    case PROTO_UNAVAILABLE:
        worker_stub_say(PROTO_LOADED, &code, sizeof(code));
        break;
    case PROTO_ACTIVATE:
        memcpy(&code, message->payload, sizeof(code)); /* it begins with the generation */
        worker_stub_say(PROTO_ACTIVE, &code, sizeof(code));
        break;
    case PROTO_PREPARE:
        memcpy(&change, message->payload, sizeof(change));
        prepared = change.generation;
        change = (struct proto_transaction){.number = change.number};
        worker_stub_say(PROTO_PREPARED, &change, sizeof(change));
        break;
    case PROTO_COMMIT:
        memcpy(&change, message->payload, sizeof(change));
        change.generation = prepared;
        worker_stub_say(PROTO_COMMITTED, &change, sizeof(change));
        break;
    case PROTO_ANSWER:
        worker_stub_on_answer(message);
        break;
    case PROTO_DRAIN:
        worker_stub_say(PROTO_DRAINING, NULL, 0);
        _exit(FSD_EXIT_OK);
    default:
        break;
    }
}

static inline int worker_stub_work(void)
{
    struct proto_hello hello = {PROTO_VERSION, "stub"};
    struct page *page = page_map(PROTO_FD_PAGE, 1);
    struct pollfd control = {.fd = PROTO_FD_CONTROL, .events = POLLIN};
    (void)signal(SIGUSR1, worker_stub_on_signal);
    (void)signal(SIGUSR2, worker_stub_on_signal);
    page_set(&page->version, PAGE_VERSION);
    worker_stub_say(PROTO_HELLO, &hello, sizeof(hello));
    for (;;) {
        struct wire_message message;
        page_set(&page->heartbeat_ms, clock_monotonic_ms());
        int ready = poll(&control, 1, WORKER_STUB_BEAT_MS);
        worker_stub_follow_wish();
        if (ready != 1) {
            continue;
        }
        if (wire_recv(PROTO_FD_CONTROL, PROTO_TO_WORKER, &message, NULL) <= 0) {
            return FSD_EXIT_OK; /* the master is gone */
        }
        worker_stub_hear(&message);
        fd_close(&message.fd);
    }
}

/* True: the process was started as a worker or its tool, and *ret_exit_code is what it ends with. */
static inline bool worker_stub_main(int argc, char **argv, int *ret_exit_code)
{
    if (strcmp(argv[0], "fsd-worker") != 0) {
        return false;
    }
    bool is_tool = argc > 2 && strcmp(argv[1], "--tool") == 0;
    *ret_exit_code = is_tool ? worker_stub_bundle() : worker_stub_work();
    return true;
}

#endif
