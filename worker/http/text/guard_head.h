#ifndef FSD_WORKER_HTTP_TEXT_GUARD_HEAD_H
#define FSD_WORKER_HTTP_TEXT_GUARD_HEAD_H

#include <stdbool.h>
#include <stddef.h>

/* Why a request head is refused; one row of words each in guard_head.c. */
enum guard_head_verdict {
    GUARD_HEAD_OK,
    GUARD_HEAD_INCOMPLETE,
    GUARD_HEAD_REQUEST_LINE,
    GUARD_HEAD_METHOD,
    GUARD_HEAD_TARGET_LONG,
    GUARD_HEAD_TARGET_CONTROL,
    GUARD_HEAD_TARGET_FORM,
    GUARD_HEAD_VERSION,
    GUARD_HEAD_BARE_LF,
    GUARD_HEAD_BARE_CR,
    GUARD_HEAD_FOLDED,
    GUARD_HEAD_FIELDS_MANY,
    GUARD_HEAD_FIELDS_LARGE,
    GUARD_HEAD_NAME,
    GUARD_HEAD_SPACE_BEFORE_COLON,
    GUARD_HEAD_VALUE_CONTROL,
    GUARD_HEAD_NO_HOST,
    GUARD_HEAD_TWO_HOSTS,
    GUARD_HEAD_BAD_HOST,
    GUARD_HEAD_OTHER_HOST,
    GUARD_HEAD_TWO_LENGTHS,
    GUARD_HEAD_BAD_LENGTH,
    GUARD_HEAD_LENGTH_TOO_BIG,
    GUARD_HEAD_TWO_CODINGS,
    GUARD_HEAD_BAD_CODING,
    GUARD_HEAD_LENGTH_AND_CODING,
    GUARD_HEAD_CODING_ON_1_0,
    GUARD_HEAD_VERDICTS
};

/* What a head may have; each 0: any. */
struct guard_head_limits {
    size_t target_bytes;
    size_t fields_bytes; /* from the end of the request line to the empty line */
    unsigned fields;
};

struct guard_head_facts {
    size_t head_len; /* through the empty line; the body's first byte stood there */
    bool has_content_length;
    bool has_transfer_encoding; /* the caller closes after answering: chunks cannot be rechecked */
    bool expect_continue;
};

/* Judges the raw bytes of an HTTP/1 head, which may be followed by anything.  minor_version is
 * what the library read (1 for HTTP/1.1).  *ret_facts is written when the verdict is OK. */
enum guard_head_verdict guard_head_check(const char *bytes, size_t len, int minor_version,
                                         const struct guard_head_limits *limits,
                                         struct guard_head_facts *ret_facts);
/* The status that says so: 400 where the head is malformed, 405, 414 or 431 else. */
int guard_head_status(enum guard_head_verdict verdict);
/* A few words for the log and the body of that answer: "two Host headers". */
const char *guard_head_reason(enum guard_head_verdict verdict);

#endif
