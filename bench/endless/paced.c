/* paced.c - an HTTP client that asks at a fixed rate, whatever becomes of the answers.
 * Owns its connections.  Request i is due i intervals after the start; it goes onto a connection that is free, or onto a new one,
 * and its time counts from when it was due, so that a server which stands still is seen in every request that it holds up.
 * Prints one line of JSON.  usage: paced RATE SECONDS IP PORT PATH
 * Started by bench/endless.py.  Must not slow down with the server. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1024, ANSWER_MAX = 4096, EVENTS = 64, PATIENCE_NS = 1000000000 };

struct connection {
    int fd;
    bool is_busy;
    uint64_t due_ns;
    size_t got;
    char answer[ANSWER_MAX];
};

struct client {
    int epoll;
    struct sockaddr_in address;
    char request[512];
    size_t request_len;
    struct connection *connections; /* owned array */
    size_t count;                   /* of connections that are open */
    size_t busy;
    size_t failed;
    uint64_t *times_ns; /* owned array, one for each answer */
    size_t answered;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct connection *open_connection(struct client *client)
{
    if (client->count == CONNECTIONS) {
        return NULL;
    }
    struct connection *made = &client->connections[client->count];
    int yes = 1;
    *made = (struct connection){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    if (connect(made->fd, (struct sockaddr *)&client->address, sizeof(client->address)) != 0) {
        (void)close(made->fd);
        return NULL;
    }
    (void)setsockopt(made->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = made};
    (void)epoll_ctl(client->epoll, EPOLL_CTL_ADD, made->fd, &event);
    client->count++;
    return made;
}

static struct connection *find_free(struct client *client)
{
    for (size_t i = 0; i < client->count; i++) {
        if (!client->connections[i].is_busy && client->connections[i].fd >= 0) {
            return &client->connections[i];
        }
    }
    return open_connection(client);
}

static void ask(struct client *client, uint64_t due_ns)
{
    struct connection *peer = find_free(client);
    if (peer == NULL || send(peer->fd, client->request, client->request_len, MSG_NOSIGNAL) !=
                            (ssize_t)client->request_len) {
        client->failed++;
        return;
    }
    peer->is_busy = true;
    peer->due_ns = due_ns;
    peer->got = 0;
    client->busy++;
}

static bool is_whole(struct connection *peer)
{
    peer->answer[peer->got] = '\0';
    const char *body = strstr(peer->answer, "\r\n\r\n");
    const char *length = strcasestr(peer->answer, "\r\ncontent-length:");
    return body != NULL && length != NULL &&
           peer->got >= (size_t)(body + 4 - peer->answer) + strtoul(length + 17, NULL, 10);
}

static void on_answer(struct client *client, struct connection *peer)
{
    ssize_t len = recv(peer->fd, peer->answer + peer->got, ANSWER_MAX - 1 - peer->got, 0);
    if (len <= 0) {
        client->failed += peer->is_busy;
        client->busy -= peer->is_busy;
        peer->is_busy = false;
        (void)close(peer->fd);
        peer->fd = -1;
        return;
    }
    peer->got += (size_t)len;
    if (!peer->is_busy || !is_whole(peer)) {
        return;
    }
    peer->is_busy = false;
    client->busy--;
    if (strncmp(peer->answer, "HTTP/1.1 200 ", 13) == 0) {
        client->times_ns[client->answered++] = now_ns() - peer->due_ns;
    } else {
        client->failed++;
    }
}

static void wait_until(struct client *client, uint64_t until_ns)
{
    uint64_t at_ns = now_ns();
    uint64_t left_ns = until_ns > at_ns ? until_ns - at_ns : 0;
    struct timespec wait = {(time_t)(left_ns / 1000000000), (long)(left_ns % 1000000000)};
    struct epoll_event events[EVENTS];
    int count = epoll_pwait2(client->epoll, events, EVENTS, &wait, NULL);
    for (int i = 0; i < count; i++) {
        on_answer(client, events[i].data.ptr);
    }
}

static void run(struct client *client, size_t count, uint64_t interval_ns)
{
    uint64_t begun_ns = now_ns();
    size_t asked = 0;
    while (asked < count) {
        uint64_t due_ns = begun_ns + asked * interval_ns;
        if (now_ns() >= due_ns) {
            ask(client, due_ns);
            asked++;
        } else {
            wait_until(client, due_ns);
        }
    }
    uint64_t end_ns = now_ns() + PATIENCE_NS;
    while (client->busy > 0 && now_ns() < end_ns) {
        wait_until(client, end_ns);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

static double percentile_ms(const struct client *client, double share)
{
    if (client->answered == 0) {
        return 0;
    }
    size_t index = (size_t)(share * (double)(client->answered - 1));
    return (double)client->times_ns[index] / 1e6;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fprintf(stderr, "usage: paced RATE SECONDS IP PORT PATH\n");
        return 64;
    }
    double rate = strtod(argv[1], NULL);
    size_t count = (size_t)(rate * strtod(argv[2], NULL));
    struct client client = {.epoll = epoll_create1(0),
                            .address = {.sin_family = AF_INET},
                            .connections = calloc(CONNECTIONS, sizeof(*client.connections)),
                            .times_ns = calloc(count + 1, sizeof(*client.times_ns))};
    if (client.connections == NULL || client.times_ns == NULL || count == 0) {
        return 70;
    }
    client.address.sin_port = htons((uint16_t)strtoul(argv[4], NULL, 10));
    (void)inet_pton(AF_INET, argv[3], &client.address.sin_addr);
    client.request_len = (size_t)snprintf(client.request, sizeof(client.request),
                                          "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", argv[5]);
    (void)prctl(PR_SET_TIMERSLACK, 1UL); /* else each wait may be 50 us longer */
    run(&client, count, (uint64_t)(1e9 / rate));
    qsort(client.times_ns, client.answered, sizeof(*client.times_ns), compare);
    (void)printf("{\"answered\":%zu,\"failed\":%zu,\"unanswered\":%zu,\"p50\":%.3f,\"p99\":%.3f,"
                 "\"p999\":%.3f,\"max\":%.3f}\n",
                 client.answered, client.failed, client.busy, percentile_ms(&client, 0.5),
                 percentile_ms(&client, 0.99), percentile_ms(&client, 0.999),
                 percentile_ms(&client, 1));
    free(client.connections);
    free(client.times_ns);
    return 0;
}
