#ifndef FSD_COMMON_ACCESS_FORMAT_H
#define FSD_COMMON_ACCESS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

struct fsd_err;

/* What a line of the access log looks like: "combined", "json", or a template such as "$remote_addr $status $http_user_agent" with
 * nginx's variables.  The master checks it with the configuration, the workers write by it. */

enum access_variable {
    ACCESS_LITERAL,         /* text of the template */
    ACCESS_REQUEST_HEADER,  /* $http_NAME; text is the name: lower case, with hyphens */
    ACCESS_RESPONSE_HEADER, /* $sent_http_NAME */
    ACCESS_BODY_BYTES_SENT,
    ACCESS_HOST,
    ACCESS_MSEC, /* seconds since 1970, with milliseconds */
    ACCESS_PID,
    ACCESS_POOL,
    ACCESS_REMOTE_ADDR,
    ACCESS_REMOTE_USER,
    ACCESS_REQUEST, /* "GET /x HTTP/1.1" */
    ACCESS_REQUEST_ID,
    ACCESS_REQUEST_METHOD,
    ACCESS_REQUEST_TIME, /* seconds, with milliseconds */
    ACCESS_REQUEST_URI,
    ACCESS_SERVER_PROTOCOL,
    ACCESS_STATUS,
    ACCESS_TIME_ISO8601,
    ACCESS_TIME_LOCAL, /* 22/Nov/2026:16:05:01 +0000: always UTC */
    ACCESS_WORKER,     /* the slot */
};

enum { ACCESS_FORMAT_TEXT_MAX = 1024, ACCESS_FORMAT_ITEMS_MAX = 64 };

struct access_item {
    enum access_variable variable;
    const char *text; /* borrowed from the format's own text; of literals and headers */
    size_t len;
};

struct access_format {
    bool is_json; /* one object a line, of fixed keys; then there are no items */
    size_t count;
    struct access_item items[ACCESS_FORMAT_ITEMS_MAX];
    char text[ACCESS_FORMAT_TEXT_MAX];
};

/* 0; or -EINVAL with a sentence that names the place, and *ret_format is undefined.  A format points into itself, so it must stay where
 * it was made. */
int access_format_parse(struct access_format *ret_format, const char *text, struct fsd_err *err);

#endif
