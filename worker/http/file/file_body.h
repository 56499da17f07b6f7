#ifndef FSD_WORKER_HTTP_FILE_FILE_BODY_H
#define FSD_WORKER_HTTP_FILE_FILE_BODY_H

#include <h2o.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/http/file/file_root.h"

struct file_body;
struct service;

/* What of a file goes out, in this order. */
struct file_part {
    h2o_iovec_t head; /* borrowed from the request's pool; before the bytes of a part of several */
    uint64_t first;
    uint64_t len;
};

/* So much of a file is read into the request's pool at once, and sent as an answer like any other; longer ones go out in pieces. */
enum { FILE_BODY_WHOLE_MAX = 128 * 1024 };

/* Reads a part that is not longer than that.  0; -EIO and the like, -ESTALE: the file is shorter than it was. */
int file_body_read(h2o_req_t *req, int fd, uint64_t first, size_t len, h2o_iovec_t *ret_body);
/* A body in pieces; takes found->fd, which is closed when the request's memory goes, sent or not.  The parts, and the text behind
 * them, must be in the request's pool. */
struct file_body *file_body_new(struct service *service, h2o_req_t *req,
                                const struct file_found *found, const struct file_part *parts,
                                size_t count, h2o_iovec_t tail);
/* Sends it, as answer_send does. */
void file_body_send(struct file_body *body, int status, bool close);

#endif
