#ifndef FSD_WORKER_HTTP_BODY_BYTE_SIZE_H
#define FSD_WORKER_HTTP_BODY_BYTE_SIZE_H

#include <stddef.h>
#include <stdint.h>

enum { BYTE_SIZE_MAX_GB = 1024 };

/* Sizes as Express writes them, and as the configuration does: "100kb" "1mb" "2.5 MB" "64KiB" "1M" "512" "512b": powers of
 * 1024, in any case.  Pure.  -EINVAL: something else; -ERANGE: above 1024 GB. */
int byte_size_parse(const char *text, size_t len, uint64_t *ret_bytes);

#endif
