#ifndef FSD_WORKER_HTTP_BODY_MULTIPART_H
#define FSD_WORKER_HTTP_BODY_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/http/body/body_text.h"

/* A body of type multipart/... (RFC 2046 §5.1), part by part, and the heads of parts (RFC 7578).  Pure; everything found lies
 * in the caller's buffer. */

enum {
    MULTIPART_BOUNDARY_MAX = 70,
    MULTIPART_HEAD_MAX = 16 * 1024, /* bytes of all headers of a part */
};

/* Where the reading stands, as offsets: the body may lie elsewhere at the next call. */
struct multipart {
    size_t at;
    size_t data; /* first byte of the part whose end is being looked for */
    size_t head; /* first byte of its head */
    size_t head_len;
    bool is_in_part;
    bool is_begun; /* the first delimiter was met */
    size_t delimiter_len;
    char delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CR LF - - boundary */
    const char *reason;                         /* why the body was refused */
};

struct multipart_part {
    struct body_text head; /* its header lines, without the empty one */
    struct body_text data;
};

/* -EINVAL: no boundary that RFC 2046 allows. */
int multipart_init(struct multipart *multipart, const char *boundary, size_t len);
/* The next part: 1; 0 behind the last one; -EAGAIN when about budget bytes were looked at, to be called again;
 * -EBADMSG: malformed, and reason says how. */
int multipart_next(struct multipart *multipart, struct body_text body, size_t budget,
                   struct multipart_part *ret_part);
/* The next header of a head, which gets shorter: 1, 0 at the end, -EBADMSG. */
int multipart_next_header(struct body_text *head, struct body_text *ret_name,
                          struct body_text *ret_value);

#endif
