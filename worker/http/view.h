#ifndef FSD_WORKER_HTTP_VIEW_H
#define FSD_WORKER_HTTP_VIEW_H

#include <h2o.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Of a connection; AF_UNSPEC where it is not known. */
struct view_ends {
    struct sockaddr_storage peer;
    struct sockaddr_storage local;
};

/* What handlers can read of a request.  It points into libh2o's request at first; view_keep copies all but the body,
 * for a handler that goes on when libh2o's request has gone. */
struct view {
    h2o_iovec_t method;
    h2o_iovec_t path;  /* as it was sent, without the query; starts with '/' or is "*" */
    h2o_iovec_t query; /* behind the '?', may be empty; base NULL: there was no '?' */
    h2o_iovec_t authority;
    h2o_iovec_t body; /* base NULL: none, or it has gone (is_kept) */
    h2o_headers_t headers;
    h2o_conn_t *conn; /* borrowed; NULL once is_kept */
    int version;      /* 0x100, 0x101, 0x200 */
    bool has_content_length;
    bool has_transfer_encoding;
    bool is_kept;
    char *copy; /* owned; everything above points into it once is_kept */
};

void view_init(struct view *view, h2o_req_t *req);
void view_fini(struct view *view);
/* Copies what handlers may still ask for; libh2o's request may go then. */
void view_keep(struct view *view);
/* Whom the connection joins. */
void view_get_ends(const struct view *view, struct view_ends *ret_ends);
/* The value of the first header of that (lower-case) name; the pseudo ones host, content-length and transfer-encoding, which
 * libh2o takes out of HTTP/1 heads, are answered too.  scratch has room for a number.  NULL base: absent. */
enum { VIEW_SCRATCH_MAX = 24 };
h2o_iovec_t view_header(const struct view *view, const char *name, size_t len,
                        char scratch[VIEW_SCRATCH_MAX]);

#endif
