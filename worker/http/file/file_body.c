/* file_body.c - a file as the body of an answer, piece by piece.
 *
 * Owns a descriptor and a buffer, in the memory of libh2o's request, and so they end with that: well, by a client that hangs up, or
 * by one that takes nothing for too long.  A piece is read when libh2o has passed the one before on to the kernel, so a client that
 * stalls costs one buffer and nothing grows.  The length was promised in the head: when the file has changed since, the connection is
 * cut, and the client knows that something is missing.
 * Called by answer.c's callers with what file_answer.c has decided.  Must not know Lua or why a file is sent. */
#include "worker/http/file/file_body.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "worker/core/runtime.h"
#include "worker/http/answer.h"
#include "worker/http/service.h"

enum { PIECE_BYTES = 64 * 1024 };

struct file_body {
    struct service *service; /* borrowed */
    h2o_req_t *req;          /* borrowed */
    h2o_generator_t generator;
    struct file_found found;       /* its fd is owned */
    const struct file_part *parts; /* borrowed from the request's pool */
    size_t count;
    size_t part;   /* that is being sent */
    uint64_t sent; /* of that */
    h2o_iovec_t tail;
    char *buffer;       /* owned; NULL before the first piece */
    struct timer stall; /* since libh2o got a piece */
};

static struct loop *loop_of(const struct file_body *body)
{
    return &body->service->runtime->loop;
}

static void on_disposed(void *disposed)
{
    struct file_body *body = disposed;
    timer_clear(&loop_of(body)->timers, &body->stall);
    fd_close(&body->found.fd);
    free(body->buffer);
    body->buffer = NULL;
}

/* Reads all of it, or what there is: a signal, or a file that has become shorter, gives less. */
static ssize_t read_at(int fd, char *to, size_t len, uint64_t first)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd, to + done, len - done, (off_t)(first + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int file_body_read(h2o_req_t *req, int fd, uint64_t first, size_t len, h2o_iovec_t *ret_body)
{
    assert(len <= FILE_BODY_WHOLE_MAX);
    char *bytes = h2o_mem_alloc_pool(&req->pool, len + 1);
    ssize_t n = read_at(fd, bytes, len, first);
    if (n < 0) {
        return (int)n;
    }
    if ((size_t)n < len) {
        return -ESTALE;
    }
    *ret_body = h2o_iovec_init(bytes, len);
    return 0;
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req);

struct file_body *file_body_new(struct service *service, h2o_req_t *req,
                                const struct file_found *found, const struct file_part *parts,
                                size_t count, h2o_iovec_t tail)
{
    struct file_body *body = h2o_mem_alloc_shared(&req->pool, sizeof(*body), on_disposed);
    *body = (struct file_body){
        .service = service,
        .req = req,
        .generator = {.proceed = on_proceed},
        .found = *found,
        .parts = parts,
        .count = count,
        .tail = tail,
    };
    return body;
}

static void on_stall(struct timer *timer)
{
    struct file_body *body = H2O_STRUCT_FROM_MEMBER(struct file_body, stall, timer);
    h2o_socket_t *socket = body->req->conn->callbacks->get_socket(body->req->conn);
    if (socket != NULL) {
        /* fails when the peer has closed already; libh2o's write fails either way, and it cleans up then */
        (void)shutdown(h2o_socket_get_fd(socket), SHUT_RDWR);
    }
}

/* Whether somebody has written to the file since its length was promised; what we read then may be of two versions. */
static bool has_changed(const struct file_body *body)
{
    struct stat status;
    return fstat(body->found.fd, &status) != 0 || (uint64_t)status.st_size != body->found.size ||
           status.st_mtim.tv_sec != body->found.mtime_s ||
           (uint32_t)status.st_mtim.tv_nsec != body->found.mtime_ns;
}

/* Reads the next piece of the part that is being sent; false when there is none as it was promised. */
static bool read_piece(struct file_body *body, size_t *ret_len)
{
    const struct file_part *part = &body->parts[body->part];
    uint64_t left = part->len - body->sent;
    size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
    if (body->buffer == NULL) {
        body->buffer = malloc(PIECE_BYTES);
        if (body->buffer == NULL) {
            abort();
        }
    }
    ssize_t n = read_at(body->found.fd, body->buffer, len, part->first + body->sent);
    if (n < 0 || (size_t)n < len || has_changed(body)) {
        return false;
    }
    *ret_len = len;
    return true;
}

/* The next piece, with what stands around the bytes, to libh2o.  With the last one, the body may be gone when this returns. */
static void send_piece(struct file_body *body)
{
    assert(body->part < body->count);
    const struct file_part *part = &body->parts[body->part];
    h2o_iovec_t pieces[3];
    size_t count = 0;
    size_t len = 0;
    h2o_send_state_t state = H2O_SEND_STATE_IN_PROGRESS;
    if (body->sent == 0 && part->head.len > 0) {
        pieces[count++] = part->head;
    }
    if (!read_piece(body, &len)) {
        h2o_send(body->req, NULL, 0, H2O_SEND_STATE_ERROR);
        return;
    }
    pieces[count++] = h2o_iovec_init(body->buffer, len);
    body->sent += len;
    if (body->sent == part->len) {
        body->part++;
        body->sent = 0;
    }
    if (body->part == body->count) {
        state = H2O_SEND_STATE_FINAL;
        if (body->tail.len > 0) {
            pieces[count++] = body->tail;
        }
        if (body->service->draining && body->req->http1_is_persistent) {
            answer_linger(
                body->req); /* when the head was written, the worker had not begun to leave */
        }
    }
    uint32_t timeout_ms = body->service->runtime->config.write_timeout_ms;
    if (timeout_ms != 0 && body->req->version >= 0x200) {
        /* one of many on its connection; else connection_clock.c sees it */
        loop_set_timer(loop_of(body), &body->stall, timeout_ms, on_stall);
    }
    h2o_send(body->req, pieces, count, state);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct file_body *body = H2O_STRUCT_FROM_MEMBER(struct file_body, generator, generator);
    timer_clear(&loop_of(body)->timers, &body->stall);
    answer_forget_write(req);
    send_piece(body);
}

void file_body_send(struct file_body *body, int status, bool close)
{
    size_t len = body->tail.len;
    for (size_t i = 0; i < body->count; i++) {
        len += body->parts[i].head.len + (size_t)body->parts[i].len;
    }
    answer_start(body->service, body->req, status, &body->generator, len, close);
    send_piece(body);
}
