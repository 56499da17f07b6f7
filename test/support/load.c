/* load.c - a keep-alive HTTP/1.1 client that keeps count of every request: what came of it, and on which worker's connection.
 * Owns its connections and the totals.  Each connection sends its next request when the last one is answered (or when the
 * rate says so) and connects again when the server has closed it; one epoll, edge-triggered, drives them all.  Prints "ready"
 * when every connection has had an answer, and one line of JSON at the end: the limits are reached, or SIGTERM came.
 * usage: load [-c CONNECTIONS] [-d SECONDS] [-n REQUESTS] [-r REQUESTS_A_SECOND] [-b BODY_BYTES (makes it a POST)] IP PORT PATH
 * Started by the tests.  Must not know fsd, but for the header x-worker, which names who answered. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 4096, ERRORS_MAX = 64, WORKERS_MAX = 512, RETRY_US = 10000, PATIENCE_US = 10000000 };

/* LOST: no byte of an answer came.  CUT: a part of it.  CLOSED_IDLE: unannounced, but no request was on its way. */
enum outcome { OK, WRONG_STATUS, LOST, CUT, REFUSED, HUNG, CLOSED_IDLE, OUTCOMES };
static const char *const outcome_names[OUTCOMES] = {"ok",      "wrong_status", "lost",       "cut",
                                                    "refused", "hung",         "closed_idle"};

enum state { DOWN, IDLE, BUSY };

struct connection {
    int fd;
    enum state state;
    size_t sent, got;   /* of the request; of the answer's head */
    uint64_t body_left; /* when has_head */
    bool has_head, closes, has_answer;
    int status;
    uint64_t due_us, begun_us;
    char worker[24]; /* the last one that answered here */
    char head[HEAD_MAX];
};

struct load {
    struct connection *connections;
    size_t connection_count, warm, in_flight, waiting;
    struct sockaddr_in address;
    char *request;
    size_t request_len;
    uint64_t interval_us, requests_left, begun_us, end_us, last_ok_us, gap_us, connects;
    int epoll_fd;
    bool stopping;
    uint64_t totals[OUTCOMES];
    uint32_t *latencies;
    size_t latency_room;
    struct { char worker[24]; uint64_t answers, first_us, last_us; } workers[WORKERS_MAX];
    struct { enum outcome outcome; char worker[24]; uint64_t at_us; } errors[ERRORS_MAX];
    size_t worker_count, error_count;
};

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
