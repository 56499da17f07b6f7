#ifndef FSD_WORKER_HTTP_TEXT_HEAD_BYTES_H
#define FSD_WORKER_HTTP_TEXT_HEAD_BYTES_H

/* The first byte from `at` that is no token character (RFC 9110, 5.6.2), or end. */
const char *head_bytes_skip_token(const char *at, const char *end);
/* The first byte from `at` below `limit` (at most 0x80) or equal to DEL, or end. */
const char *head_bytes_find_control(const char *at, const char *end, unsigned char limit);
/* Behind bytes from `at` that are usual in a Host: it may stop before one that is, too. */
const char *head_bytes_skip_host(const char *at, const char *end);

#endif
