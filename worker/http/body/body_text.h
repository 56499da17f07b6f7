#ifndef FSD_WORKER_HTTP_BODY_BODY_TEXT_H
#define FSD_WORKER_HTTP_BODY_BODY_TEXT_H

#include <stddef.h>

/* A piece of somebody else's bytes. */
struct body_text {
    const char *bytes;
    size_t len;
};

#endif
