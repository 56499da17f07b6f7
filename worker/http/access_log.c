/* access_log.c - a line for each request that is over, written where the master said.
 * Owns the descriptor and the lines of one turn, which leave in one write at its end.  Workers share the file and write whole lines only: a
 * file takes them at once (O_APPEND), a pipe or terminal up to PIPE_BUF.  Nothing waits: what is not taken is dropped and counted,
 * and a record of the daemon's log says so at once, and then every few seconds as long as lines are lost.  libh2o calls it when it
 * disposes of a request, so sizes and times are those of the whole answer; without a format that is one test.
 * Called by server.c.  Must not know how a line is written (text/access_line.c). */
#include "worker/http/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/fd.h"
#include "common/page.h"
#include "worker/core/runtime.h"
#include "worker/http/request/request_address.h"
#include "worker/http/text/access_line.h"
#include "worker/http/text/request_token.h"

enum { FLUSH_BYTES = 32 * 1024, KEEP_BYTES = 256 * 1024, USER_MAX = 512, TELL_MS = 5000 };

struct access_logger {
    h2o_logger_t super;
    struct access_log *log; /* borrowed */
};

static void on_losses(struct ration *ration, uint64_t count)
{
    const struct access_log *log = H2O_STRUCT_FROM_MEMBER(struct access_log, losses, ration);
    char text[128];
    const char *reason = log->reason == EAGAIN ? "nobody reads it fast enough"
                         : log->reason == 0    ? "it does not take all of them"
                                               : strerror_r(log->reason, text, sizeof(text));
    logger_write(&log->runtime->logger, LOG_LEVEL_WARNING, "%" PRIu64 " %s dropped: %s", count,
                 count == 1 ? "line of the access log was" : "lines of the access log were",
                 reason);
}

void access_log_init(struct access_log *log, struct runtime *runtime)
{
    *log = (struct access_log){.runtime = runtime, .fd = -1};
    ration_init(&log->losses, &runtime->loop, TELL_MS, on_losses);
    json_buf_init(&log->lines);
}

/* As much as it takes without waiting; 0 or negative: nothing. */
static ssize_t write_some(const struct access_log *log, const char *bytes, size_t len)
{
    if (log->is_file) {
        return write(log->fd, bytes, len);
    }
    if (log->is_socket) {
        return send(log->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0) {
        return write(log->fd, bytes, len);
    }
    errno = (ready.revents & POLLERR) != 0 ? EPIPE : EAGAIN;
    return -1;
}

/* How much of the text is whole lines that go out at once. */
static size_t measure_piece(const struct access_log *log, const char *text, size_t len)
{
    if (log->is_file || len <= PIPE_BUF) {
        return len;
    }
    const char *end = memrchr(text, '\n', PIPE_BUF);
    end = end != NULL ? end : memchr(text, '\n', len); /* one line is longer: it may be torn */
    return (size_t)(end - text) + 1;
}

static void count_dropped(struct access_log *log, const char *text, size_t len)
{
    const char *end = text + len;
    uint64_t before = log->lost;
    while (text < end && (text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
        log->lost++;
        text++;
    }
    page_set(&log->runtime->page->access_lost, log->lost);
    ration_note(&log->losses, log->lost - before);
}

/* Writes a piece, and counts what was not taken of it. */
static void write_piece(struct access_log *log, const char *text, size_t len)
{
    errno = 0;
    if (log->is_mid_line) {
        log->is_mid_line = write_some(log, "\n", 1) != 1;
    }
    ssize_t taken = log->is_mid_line ? -1 : write_some(log, text, len);
    if (taken < (ssize_t)len) {
        size_t done = taken > 0 ? (size_t)taken : 0;
        log->reason = errno;
        log->is_mid_line = log->is_mid_line || (done > 0 && text[done - 1] != '\n');
        count_dropped(log, text + done, len - done);
    }
}

static void flush(struct access_log *log)
{
    const char *at = log->lines.data;
    size_t left = log->lines.len;
    while (left > 0) {
        size_t len = measure_piece(log, at, left);
        write_piece(log, at, len);
        at += len;
        left -= len;
    }
    json_buf_reset(&log->lines, KEEP_BYTES);
}

static void on_flush(struct loop_job *job)
{
    flush(H2O_STRUCT_FROM_MEMBER(struct access_log, flush, job));
}

void access_log_fini(struct access_log *log)
{
    if (log->fd >= 0) {
        flush(log);
    }
    ration_fini(&log->losses);
    fd_close(&log->fd);
    json_buf_fini(&log->lines);
}

void access_log_take(struct access_log *log, int fd)
{
    struct stat info = {0};
    if (log->fd >= 0) {
        flush(log);
    }
    fd_close(&log->fd);
    (void)fstat(fd, &info);
    log->fd = fd;
    log->is_file = S_ISREG(info.st_mode);
    log->is_socket = S_ISSOCK(info.st_mode);
    log->is_mid_line = false;
}

void access_log_set_format(struct access_log *log, const char *text)
{
    struct fsd_err err;
    log->is_on = false;
    if (text[0] == '\0') {
        if (log->fd >= 0) {
            flush(log);
        }
        fd_close(&log->fd);
    } else if (access_format_parse(&log->format, text, &err) == 0) {
        log->is_on = true;
    } else {
        logger_write(&log->runtime->logger, LOG_LEVEL_ERROR, "no access log: %s", err.text);
    }
}

static struct access_text find_header(const void *ctx, bool is_sent, const char *name, size_t len)
{
    const h2o_req_t *req = ctx;
    const h2o_headers_t *headers = is_sent ? &req->res.headers : &req->headers;
    for (size_t i = 0; i < headers->size; i++) {
        const h2o_header_t *header = &headers->entries[i];
        if (h2o_memis(header->name->base, header->name->len, name, len)) {
            return (struct access_text){header->value.base, header->value.len};
        }
    }
    return (struct access_text){NULL, 0};
}

/* As req.ip says it where no proxy is believed. */
static struct access_text format_peer(h2o_req_t *req, char text[ADDRESS_TEXT_MAX])
{
    struct sockaddr_storage peer = {0};
    struct address address;
    (void)req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&peer);
    if (!request_address_read(&peer, &address)) {
        return (struct access_text){"unix:", 5};
    }
    address_format(&address, text);
    return (struct access_text){text, strlen(text)};
}

/* The user of Basic authentication, whether anybody has asked for a password or not, as nginx has it.  Decoded into text. */
static struct access_text find_user(const h2o_req_t *req, char text[USER_MAX + 4])
{
    static const char scheme[] = "basic ";
    struct access_text given = find_header(req, false, H2O_STRLIT("authorization"));
    if (given.len < sizeof(scheme) || given.len - (sizeof(scheme) - 1) > USER_MAX ||
        !h2o_lcstris(given.bytes, sizeof(scheme) - 1, scheme, sizeof(scheme) - 1)) {
        return (struct access_text){NULL, 0};
    }
    int len = EVP_DecodeBlock((unsigned char *)text,
                              (const unsigned char *)given.bytes + sizeof(scheme) - 1,
                              (int)(given.len - (sizeof(scheme) - 1)));
    const char *end = len < 0 ? NULL : memchr(text, ':', (size_t)len);
    return (struct access_text){end == NULL ? NULL : text, end == NULL ? 0 : (size_t)(end - text)};
}

static uint64_t us_of(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static struct access_text text_of(h2o_iovec_t text)
{
    return (struct access_text){text.base, text.len};
}

/* The id that handlers see, whether one has asked for it or not (request.c). */
static struct access_text find_id(const struct access_log *log, const h2o_req_t *req,
                                  char text[REQUEST_TOKEN_MAX + 1])
{
    struct access_text given = find_header(req, false, H2O_STRLIT("x-request-id"));
    if (given.bytes != NULL && request_token_is_usable(given.bytes, given.len)) {
        return given;
    }
    if (req->env.size < 2) {
        return (struct access_text){NULL, 0}; /* no code of the application's has seen it */
    }
    uint64_t serial;
    memcpy(&serial, req->env.entries[1].base, sizeof(serial));
    request_token_make(text, log->runtime->incarnation, serial);
    return (struct access_text){text, strlen(text)};
}

static void on_request_over(h2o_logger_t *logger, h2o_req_t *req)
{
    struct access_log *log = ((struct access_logger *)logger)->log;
    if (!log->is_on || log->fd < 0) {
        return;
    }
    char peer[ADDRESS_TEXT_MAX];
    char id[REQUEST_TOKEN_MAX + 1];
    char user[USER_MAX + 4];
    uint64_t now_us = clock_wall_us();
    uint64_t began_us = us_of(req->timestamps.request_begin_at);
    const char *pool = log->runtime->config.pool;
    struct access_facts facts = {.remote_addr = format_peer(req, peer),
                                 .remote_user = find_user(req, user),
                                 .method = text_of(req->input.method),
                                 .uri = text_of(req->input.path),
                                 .host = text_of(req->input.authority),
                                 .request_id = find_id(log, req, id),
                                 .pool = {pool, strlen(pool)},
                                 .worker = log->runtime->slot,
                                 .pid = getpid(),
                                 .version = req->version,
                                 .status = req->res.status,
                                 .body_bytes = req->bytes_sent,
                                 .ended_us = now_us,
                                 /* the clock may have been set back */
                                 .took_us =
                                     began_us != 0 && now_us > began_us ? now_us - began_us : 0,
                                 .find_header = find_header,
                                 .ctx = req};
    access_line_write(&log->format, &facts, &log->lines);
    if (log->lines.len >= FLUSH_BYTES) {
        flush(log);
    } else {
        loop_defer(&log->runtime->loop, &log->flush, on_flush);
    }
}

void access_log_note(h2o_req_t *req, uint64_t serial)
{
    static const char key[] = "fsd.serial";
    uint64_t *kept = h2o_mem_alloc_pool(&req->pool, sizeof(*kept));
    *kept = serial;
    h2o_vector_reserve(&req->pool, &req->env, 2);
    req->env.entries[0] = h2o_iovec_init(key, sizeof(key) - 1);
    req->env.entries[1] = h2o_iovec_init(kept, sizeof(*kept));
    req->env.size = 2;
}

void access_log_register(struct access_log *log, h2o_pathconf_t *path)
{
    struct access_logger *logger =
        (struct access_logger *)h2o_create_logger(path, sizeof(struct access_logger));
    logger->super.log_access = on_request_over;
    logger->log = log;
}
