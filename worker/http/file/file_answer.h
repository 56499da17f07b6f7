#ifndef FSD_WORKER_HTTP_FILE_FILE_ANSWER_H
#define FSD_WORKER_HTTP_FILE_FILE_ANSWER_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/http/file/file_options.h"
#include "worker/http/file/file_root.h"

struct file_body;
struct service;
struct view;

/* Who wants a file. */
struct file_request {
    struct service *service; /* borrowed */
    h2o_req_t *req;          /* borrowed; its response may have headers already, which stay */
    const struct view *view; /* borrowed; of the same request */
    h2o_iovec_t path;        /* below where the handler is mounted, as it was sent; may be empty */
    int status;              /* what the answer is to have, unless conditions say something else */
};

/* What there is to be sent, and what it says of itself. */
struct file_content {
    struct file_found found; /* its fd is given away */
    const char *name;        /* borrowed: the content type goes by its ending */
    const char *encoding;    /* borrowed; Content-Encoding, NULL: none */
    bool has_encodings;      /* what was found depends on Accept-Encoding */
    bool is_hashed;          /* this name never gets another content */
    bool has_window;         /* only the bytes from first to last are what is sent */
    uint64_t first;
    uint64_t last;
};

enum file_verdict {
    FILE_GIVES,  /* the answer stands */
    FILE_PASSES, /* nothing of its: the next handler's turn */
    FILE_FAILS,  /* an error, as if a handler had raised it */
};

/* An answer; its headers are in the request's response. */
struct file_given {
    int status;
    h2o_iovec_t body;       /* all of it; base NULL: there is none, but len is what it would have */
    struct file_body *file; /* in its place, for what goes out in pieces; NULL: body it is */
};

/* Why there is none; sentences may be shown to strangers. */
struct file_failure {
    int status;
    const char *code;
    const char *message;
    const char *header; /* name of one that goes with it; NULL: none */
    char value[32];     /* of that */
};

/* Decides what of the file is sent: all, parts, or nothing because the client has it (RFC 9110 §13, §14).  Takes the descriptor.
 * 0, or -1 and why not: 412, 416, or that it can't be read. */
int file_answer_give(const struct file_request *request, const struct file_options *options,
                     const struct file_content *content, struct file_given *ret_given,
                     struct file_failure *ret_failure);
/* Fills a failure; returns -1. */
int file_answer_fail(struct file_failure *failure, int status, const char *code,
                     const char *message);
/* The same for what opening or reading a file has said; where says whether that is for a stranger to know. */
int file_answer_fail_as(struct file_failure *failure, int error);

#endif
