/* load.c - a keep-alive HTTP/1.1 client that counts what came of every request, and on which worker's connection.
 * Owns its connections and the totals.  A connection sends its next request when the last one was answered (or when the rate
 * says so) and connects again when the server has closed it; one epoll, edge-triggered, drives them all.  Prints "ready" when
 * every connection has had an answer, and one line of JSON at the end: a limit was reached, or SIGTERM came.
 * usage: load [-c CONNECTIONS] [-d SECONDS] [-n REQUESTS] [-r REQUESTS_A_SECOND] [-b BODY_BYTES: POST] IP PORT PATH
 * Started by the tests.  Must not know fsd, but for three headers: x-worker names who answered, x-version the code that did, and
 * x-generation is a number that may not become smaller on a connection.  With a rate a request is late from when it was due. */
#include <arpa/inet.h>
#include <errno.h>
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

enum {
    HEAD_MAX = 4096,
    NAME_MAX_LEN = 24,
    ERRORS_MAX = 64,
    NAMES_MAX = 512,
    LATENCY_MAX_US = 1 << 20
};
enum { RETRY_US = 10000, PATIENCE_US = 10000000 };

/* LOST: no byte of the answer came.  CUT: a part.  CLOSED_IDLE: unannounced, but no request was on its way.  OLDER: an older
 * generation than before on this connection; also counted as what the answer was. */
enum outcome { OK, WRONG_STATUS, OLDER, LOST, CUT, REFUSED, HUNG, CLOSED_IDLE, OUTCOMES };
static const char *const outcome_names[OUTCOMES] = {"ok",  "wrong_status", "older", "lost",
                                                    "cut", "refused",      "hung",  "closed_idle"};

struct connection {
    int fd;               /* -1: to be connected */
    bool busy, answering; /* a request is under way; the head of its answer is complete */
    bool closes, was_answered;
    size_t sent, got;   /* of the request, of the answer's head */
    uint64_t body_left; /* of the answer */
    int status;
    uint64_t due_us, begun_us, connected_us, generation;
    char worker[NAME_MAX_LEN], version[NAME_MAX_LEN]; /* who answered here last */
    char head[HEAD_MAX];
};

/* Names with how often they were seen, and when. */
struct names {
    size_t count;
    struct seen {
        char name[NAME_MAX_LEN];
        uint64_t answers, first_us, last_us;
    } rows[NAMES_MAX];
};

struct load {
    struct connection *connections;
    size_t count, answered, busy;
    struct sockaddr_in address;
    char *request;
    size_t request_len, errors_len;
    uint64_t interval_us, left, end_us, last_ok_us, gap_us, connects, totals[OUTCOMES];
    int epoll_fd;
    char *errors_text;
    FILE *errors;                     /* into errors_text */
    uint32_t latency[LATENCY_MAX_US]; /* how many took so many microseconds */
    struct names workers, versions;
};

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void drop(struct load *load, struct connection *peer)
{
    (void)close(peer->fd);
    load->busy -= peer->busy;
    peer->fd = -1;
    peer->busy = false;
}

static void fail(struct load *load, struct connection *peer, enum outcome outcome)
{
    if (load->totals[outcome]++ < ERRORS_MAX) {
        (void)fprintf(
            load->errors,
            "%s{\"kind\":\"%s\",\"worker\":\"%s\",\"since\":%.6f,\"at\":%.6f,\"status\":%d}",
            ftell(load->errors) > 0 ? "," : "", outcome_names[outcome], peer->worker,
            (double)peer->connected_us / 1e6, (double)now_us() / 1e6, peer->status);
    }
    if (outcome != WRONG_STATUS && outcome != OLDER) {
        drop(load, peer);
        peer->due_us = now_us() + RETRY_US;
    }
}

static void send_rest(struct load *load, struct connection *peer)
{
    while (peer->busy && peer->sent < load->request_len) {
        ssize_t sent = send(peer->fd, load->request + peer->sent, load->request_len - peer->sent,
                            MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN && errno != EPIPE &&
                errno != ECONNRESET) { /* reading tells more of those */
                fail(load, peer, errno == ECONNREFUSED ? REFUSED : LOST);
            }
            return;
        }
        peer->sent += (size_t)sent;
    }
}

static void begin(struct load *load, struct connection *peer)
{
    load->left--;
    peer->status = 0;
    if (peer->fd < 0) {
        peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        peer->worker[0] = peer->version[0] = '\0';
        peer->generation = 0;
        peer->connected_us = now_us();
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                    .data.ptr = peer};
        load->connects++;
        if (connect(peer->fd, (struct sockaddr *)&load->address, sizeof(load->address)) < 0 &&
            errno != EINPROGRESS) {
            fail(load, peer, REFUSED);
            return;
        }
        (void)epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, peer->fd, &event);
    }
    peer->busy = true;
    peer->answering = peer->closes = false;
    peer->sent = peer->got = 0;
    peer->begun_us = load->interval_us > 0 ? peer->due_us : now_us();
    load->busy++;
    send_rest(load, peer);
}

static const char *find_header(const char *head, const char *name)
{
    const char *at =
        strcasestr(head, name); /* name has the line break before it and the colon behind it */
    return at == NULL ? "" : at + strlen(name) + strspn(at + strlen(name), " ");
}

static void count_name(struct names *names, const char *name, uint64_t at_us)
{
    size_t i = names->count;
    while (i > 0 && strcmp(names->rows[i - 1].name, name) != 0) {
        i--;
    }
    if (i == 0 && names->count < NAMES_MAX) {
        i = ++names->count;
        memcpy(names->rows[i - 1].name, name, NAME_MAX_LEN);
        names->rows[i - 1].first_us = at_us;
    }
    struct seen *seen = &names->rows[i > 0 ? i - 1 : 0];
    seen->answers++;
    seen->last_us = at_us;
}

static void finish(struct load *load, struct connection *peer)
{
    uint64_t at_us = now_us();
    uint64_t took_us = at_us - peer->begun_us;
    load->latency[took_us < LATENCY_MAX_US ? took_us : LATENCY_MAX_US - 1]++;
    load->busy--;
    peer->busy = false;
    peer->due_us = peer->begun_us + load->interval_us;
    load->answered += !peer->was_answered;
    if (!peer->was_answered && load->answered == load->count) {
        (void)puts("ready");
        (void)fflush(stdout);
    }
    peer->was_answered = true;
    count_name(&load->workers, peer->worker, at_us);
    count_name(&load->versions, peer->version, at_us);
    uint64_t generation = strtoull(find_header(peer->head, "\r\nx-generation:"), NULL, 10);
    if (generation < peer->generation) {
        fail(load, peer, OLDER);
    }
    peer->generation = generation;
    if (peer->status != 200) {
        fail(load, peer, WRONG_STATUS);
    } else {
        load->totals[OK]++;
        if (load->last_ok_us > 0 && at_us - load->last_ok_us > load->gap_us) {
            load->gap_us = at_us - load->last_ok_us;
        }
        load->last_ok_us = at_us;
    }
    if (peer->closes) {
        drop(load, peer);
    }
}

/* Takes len new bytes of an answer; the head is kept, the body only counted. */
static void take(struct connection *peer, const char *bytes, size_t len)
{
    size_t body = len;
    if (!peer->answering) {
        size_t room = HEAD_MAX - 1 - peer->got;
        memcpy(peer->head + peer->got, bytes, len < room ? len : room);
        size_t had = peer->got;
        peer->got += len < room ? len : room;
        peer->head[peer->got] = '\0';
        const char *end = strstr(peer->head, "\r\n\r\n");
        if (end == NULL) {
            return;
        }
        body = had + len - (size_t)(end + 4 - peer->head);
        peer->head[end + 2 - peer->head] = '\0';
        peer->answering = true;
        peer->status = (int)strtol(find_header(peer->head, "HTTP/1.1 "), NULL, 10);
        peer->body_left = strtoull(find_header(peer->head, "\r\ncontent-length:"), NULL, 10);
        peer->closes = strncasecmp(find_header(peer->head, "\r\nconnection:"), "close", 5) == 0;
        (void)sscanf(find_header(peer->head, "\r\nx-worker:"), "%23[^\r]", peer->worker);
        (void)sscanf(find_header(peer->head, "\r\nx-version:"), "%23[^\r]", peer->version);
    }
    peer->body_left -= body < peer->body_left ? body : peer->body_left;
}

/* The server has ended the connection without having said so; len is what recv returned. */
static enum outcome judge_end(const struct connection *peer, ssize_t len)
{
    if (!peer->busy) {
        return CLOSED_IDLE;
    }
    if (peer->got > 0) {
        return CUT;
    }
    return len < 0 && errno == ECONNREFUSED ? REFUSED : LOST;
}

static void receive(struct load *load, struct connection *peer)
{
    char bytes[65536];
    while (peer->fd >= 0) {
        ssize_t len = recv(peer->fd, bytes, sizeof(bytes), 0);
        if (len < 0 && errno == EAGAIN) {
            return;
        }
        if (len <= 0) {
            fail(load, peer, judge_end(peer, len));
            return;
        }
        take(peer, bytes, (size_t)len);
        if (peer->busy && peer->answering && peer->body_left == 0) {
            finish(load, peer);
        }
    }
}

/* Begins what is due; returns for how many milliseconds nothing will be. */
static int begin_due(struct load *load)
{
    uint64_t at_us = now_us();
    uint64_t next_us = at_us + 100000;
    load->left = at_us >= load->end_us ? 0 : load->left;
    for (size_t i = 0; i < load->count && load->left > 0; i++) {
        struct connection *peer = &load->connections[i];
        if (!peer->busy && peer->due_us <= at_us) {
            begin(load, peer);
        }
        if (!peer->busy && peer->due_us < next_us) {
            next_us = peer->due_us;
        }
    }
    return next_us <= at_us ? 0 : (int)((next_us - at_us + 999) / 1000);
}

static void run(struct load *load, int signals)
{
    struct epoll_event events[256] = {{.events = EPOLLIN, .data.ptr = NULL}};
    (void)epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, signals, events);
    int wait_ms = begin_due(load);
    uint64_t patience_us = UINT64_MAX;
    while ((load->left > 0 || load->busy > 0) && now_us() < patience_us) {
        int count = epoll_wait(load->epoll_fd, events, 256, wait_ms);
        for (int i = 0; i < count; i++) {
            struct connection *peer = events[i].data.ptr;
            if (peer == NULL) {
                load->end_us = 0;
                (void)epoll_ctl(load->epoll_fd, EPOLL_CTL_DEL, signals, NULL);
                continue;
            }
            send_rest(load, peer);
            receive(load, peer);
        }
        wait_ms = begin_due(load);
        patience_us =
            load->left == 0 && patience_us == UINT64_MAX ? now_us() + PATIENCE_US : patience_us;
    }
    for (size_t i = 0; i < load->count; i++) {
        if (load->connections[i].busy) {
            fail(load, &load->connections[i], HUNG);
        }
    }
}

static uint64_t find_percentile(const struct load *load, double share)
{
    uint64_t all = load->totals[OK] + load->totals[WRONG_STATUS];
    uint64_t below = 0;
    size_t i = 0;
    while (i < LATENCY_MAX_US - 1 &&
           (below += load->latency[i]) < (uint64_t)(share * (double)all)) {
        i++;
    }
    return i;
}

static void report_names(const char *what, const struct names *names)
{
    (void)printf(",\"%s\":{", what);
    for (size_t i = 0; i < names->count; i++) {
        const struct seen *seen = &names->rows[i];
        (void)printf("%s\"%s\":{\"answers\":%llu,\"first\":%.6f,\"last\":%.6f}", i > 0 ? "," : "",
                     seen->name, (unsigned long long)seen->answers, (double)seen->first_us / 1e6,
                     (double)seen->last_us / 1e6);
    }
    (void)printf("}");
}

static void report(struct load *load, uint64_t begun_us)
{
    (void)printf("{\"seconds\":%.3f,\"connects\":%llu", (double)(now_us() - begun_us) / 1e6,
                 (unsigned long long)load->connects);
    for (size_t i = 0; i < OUTCOMES; i++) {
        (void)printf(",\"%s\":%llu", outcome_names[i], (unsigned long long)load->totals[i]);
    }
    static const struct share {
        const char *name;
        double share;
    } shares[] = {{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
    (void)printf(",\"gap_ms\":%.3f,\"latency_us\":{", (double)load->gap_us / 1e3);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        (void)printf("%s\"%s\":%llu", i > 0 ? "," : "", shares[i].name,
                     (unsigned long long)find_percentile(load, shares[i].share));
    }
    (void)printf("}");
    report_names("workers", &load->workers);
    report_names("versions", &load->versions);
    (void)fclose(load->errors);
    (void)printf(",\"errors\":[%s]}\n", load->errors_text);
    free(load->errors_text);
}

static void build_request(struct load *load, const char *path, size_t body)
{
    int len = body > 0
                  ? asprintf(&load->request,
                             "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n%0*d",
                             path, body, (int)body, 0)
                  : asprintf(&load->request, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path);
    load->request_len = (size_t)len;
}

int main(int argc, char **argv)
{
    struct load *load = calloc(1, sizeof(*load));
    double values[128] = {['c'] = 1, ['d'] = 3600, ['n'] = 1e15};
    int option;
    while ((option = getopt(argc, argv, "c:d:n:r:b:")) > 0 && option != '?') {
        values[option] = strtod(optarg, NULL);
    }
    if (load == NULL || argc - optind != 3) {
        (void)fprintf(stderr, "usage: load [-c COUNT] [-d SECONDS] [-n REQUESTS] [-r RATE] [-b "
                              "BYTES] IP PORT PATH\n");
        free(load);
        return 64;
    }
    uint64_t begun_us = now_us();
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    load->count = (size_t)values['c'];
    load->left = (uint64_t)values['n'];
    load->end_us = begun_us + (uint64_t)(values['d'] * 1e6);
    load->interval_us = values['r'] > 0 ? (uint64_t)(1e6 * values['c'] / values['r']) : 0;
    load->address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[optind + 1], NULL, 10))};
    (void)inet_pton(AF_INET, argv[optind], &load->address.sin_addr);
    load->epoll_fd = epoll_create1(0);
    load->errors = open_memstream(&load->errors_text, &load->errors_len);
    load->connections = calloc(load->count, sizeof(*load->connections));
    if (load->connections == NULL || load->errors == NULL) {
        return 70;
    }
    build_request(load, argv[optind + 2], (size_t)values['b']);
    for (size_t i = 0; i < load->count; i++) {
        load->connections[i].fd = -1;
        load->connections[i].due_us = begun_us + load->interval_us * i / load->count;
    }
    run(load, signalfd(-1, &set, 0));
    report(load, begun_us);
    free(load->connections);
    free(load->request);
    free(load);
    return 0;
}
