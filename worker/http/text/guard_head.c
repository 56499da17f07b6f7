/* guard_head.c - refuses HTTP/1 request heads that two servers could read differently.
 * Why it exists: libh2o 2.2.5 accepts, or resolves by taking one of two, the following, each of
 * which lets a client smuggle a second request past a proxy in front: Content-Length twice (the
 * first wins), Content-Length beside Transfer-Encoding, Transfer-Encoding twice (the last wins) or
 * on HTTP/1.0, folded header lines (they arrive as a header without name), lines that end in a
 * bare LF, no Host or two of them (the last wins).  By the time a handler runs, these headers are
 * gone from the request; the bytes still stand at the start of the connection's input, with
 * header names lower-cased in place.  What the library refuses by itself is checked again, so that
 * the verdict does not hang on its version.
 * It also says where a head is longer than the limits.
 * Owns nothing.  One pass over the bytes, by large steps where they only have to be free of
 * control characters (head_bytes.c).  The HTTP server calls it for each HTTP/1 request before any other handler,
 * the one for 404 included.  Pure: must not know sockets, the library, or what the answer is. */
#include "worker/http/text/guard_head.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "worker/http/text/head_bytes.h"

struct scan {
    const char *at;
    const char *end;
    int minor_version;
    const struct guard_head_limits *limits; /* borrowed from the caller */
    const char *fields;                     /* where the first header line begins */
    unsigned field_count;
    const char *authority; /* of a target that is a URL; NULL: it is not */
    size_t authority_len;
    bool has_host;
    struct guard_head_facts facts;
};

/* A header whose value has a meaning here; the value comes without the spaces around it. */
struct known_header {
    const char *name;
    size_t len;
    enum guard_head_verdict (*check)(struct scan *scan, const char *value, size_t len);
};

static const struct {
    enum guard_head_verdict verdict;
    int status;
    const char *reason;
} verdict_rows[] = {
    {GUARD_HEAD_OK, 200, "fine"},
    {GUARD_HEAD_INCOMPLETE, 400, "the head has no end"},
    {GUARD_HEAD_REQUEST_LINE, 400, "malformed request line"},
    {GUARD_HEAD_METHOD, 405, "the methods TRACE and CONNECT are not served"},
    {GUARD_HEAD_TARGET_LONG, 414, "the URL is longer than the limit"},
    {GUARD_HEAD_TARGET_CONTROL, 400, "control character in the request target"},
    {GUARD_HEAD_TARGET_FORM, 400, "the request target is neither a path nor a URL"},
    {GUARD_HEAD_VERSION, 400, "malformed HTTP version"},
    {GUARD_HEAD_BARE_LF, 400, "line end without CR"},
    {GUARD_HEAD_BARE_CR, 400, "CR without LF"},
    {GUARD_HEAD_FOLDED, 400, "folded header line"},
    {GUARD_HEAD_FIELDS_MANY, 431, "more header fields than the limit"},
    {GUARD_HEAD_FIELDS_LARGE, 431, "the header fields are larger than the limit"},
    {GUARD_HEAD_NAME, 400, "malformed header name"},
    {GUARD_HEAD_SPACE_BEFORE_COLON, 400, "space between header name and colon"},
    {GUARD_HEAD_VALUE_CONTROL, 400, "control character in a header value"},
    {GUARD_HEAD_NO_HOST, 400, "no Host header"},
    {GUARD_HEAD_TWO_HOSTS, 400, "two Host headers"},
    {GUARD_HEAD_BAD_HOST, 400, "malformed Host header"},
    {GUARD_HEAD_OTHER_HOST, 400, "the Host header differs from the URL's host"},
    {GUARD_HEAD_TWO_LENGTHS, 400, "two Content-Length headers"},
    {GUARD_HEAD_BAD_LENGTH, 400, "malformed Content-Length header"},
    {GUARD_HEAD_LENGTH_TOO_BIG, 400, "the Content-Length is too big"},
    {GUARD_HEAD_TWO_CODINGS, 400, "two Transfer-Encoding headers"},
    {GUARD_HEAD_BAD_CODING, 400, "a Transfer-Encoding other than chunked"},
    {GUARD_HEAD_LENGTH_AND_CODING, 400, "both Content-Length and Transfer-Encoding"},
    {GUARD_HEAD_CODING_ON_1_0, 400, "Transfer-Encoding in an HTTP/1.0 request"},
};
_Static_assert(sizeof(verdict_rows) / sizeof(verdict_rows[0]) == GUARD_HEAD_VERDICTS,
               "one row a verdict, in the order of the enum");

const char *guard_head_reason(enum guard_head_verdict verdict)
{
    assert(verdict < GUARD_HEAD_VERDICTS && verdict_rows[verdict].verdict == verdict);
    return verdict_rows[verdict].reason;
}

int guard_head_status(enum guard_head_verdict verdict)
{
    assert(verdict < GUARD_HEAD_VERDICTS && verdict_rows[verdict].verdict == verdict);
    return verdict_rows[verdict].status;
}

static bool is_over(size_t value, size_t limit)
{
    return limit != 0 && value > limit;
}

static bool is_same_name(const char *name, const char *lower, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((name[i] | 0x20) != lower[i]) { /* no other token character becomes a letter or "-" */
            return false;
        }
    }
    return true;
}

/* Consumes CR LF; `other` is the verdict on anything that is not a line end at all. */
static enum guard_head_verdict end_line(struct scan *scan, enum guard_head_verdict other)
{
    size_t left = (size_t)(scan->end - scan->at);
    if (left >= 2 && scan->at[0] == '\r' && scan->at[1] == '\n') {
        scan->at += 2;
        return GUARD_HEAD_OK;
    }
    if (left == 0 || (left == 1 && *scan->at == '\r')) {
        return GUARD_HEAD_INCOMPLETE;
    }
    if (*scan->at == '\n') {
        return GUARD_HEAD_BARE_LF;
    }
    return *scan->at == '\r' ? GUARD_HEAD_BARE_CR : other;
}

static enum guard_head_verdict check_method(struct scan *scan)
{
    const char *start = scan->at;
    scan->at = head_bytes_skip_token(scan->at, scan->end);
    size_t len = (size_t)(scan->at - start);
    if (scan->at == scan->end) {
        return GUARD_HEAD_INCOMPLETE;
    }
    if (len == 0 || *scan->at != ' ') {
        return GUARD_HEAD_REQUEST_LINE;
    }
    if ((len == 5 && memcmp(start, "TRACE", 5) == 0) ||
        (len == 7 && memcmp(start, "CONNECT", 7) == 0)) {
        return GUARD_HEAD_METHOD;
    }
    scan->at++;
    return GUARD_HEAD_OK;
}

/* http(s) "://" and something behind it, of which the host is kept. */
static bool is_absolute_form(struct scan *scan, const char *target, size_t len)
{
    const char *colon = memchr(target, ':', len);
    size_t scheme_len = colon == NULL ? 0 : (size_t)(colon - target);
    if ((scheme_len != 4 && scheme_len != 5) || !is_same_name(target, "https", scheme_len) ||
        len <= scheme_len + 3 || memcmp(colon, "://", 3) != 0) {
        return false;
    }
    scan->authority = colon + 3;
    for (const char *at = scan->authority; at < target + len; at++) {
        if (*at == '/' || *at == '?' || *at == '#') {
            break;
        }
        scan->authority_len++;
    }
    return true;
}

static enum guard_head_verdict check_target(struct scan *scan)
{
    const char *start = scan->at;
    scan->at = head_bytes_find_control(start, scan->end, 0x21);
    size_t len = (size_t)(scan->at - start);
    if (scan->at == scan->end) {
        return GUARD_HEAD_INCOMPLETE;
    }
    if (len == 0 || *scan->at == '\r' || *scan->at == '\n') {
        return GUARD_HEAD_REQUEST_LINE;
    }
    if (*scan->at != ' ') {
        return GUARD_HEAD_TARGET_CONTROL;
    }
    if (is_over(len, scan->limits->target_bytes)) {
        return GUARD_HEAD_TARGET_LONG;
    }
    scan->at++;
    bool is_known_form =
        *start == '/' || (len == 1 && *start == '*') || is_absolute_form(scan, start, len);
    return is_known_form ? GUARD_HEAD_OK : GUARD_HEAD_TARGET_FORM;
}

/* Exactly "HTTP/1." and the digit that the library saw. */
static enum guard_head_verdict check_version(struct scan *scan)
{
    if (scan->end - scan->at < 8) {
        return GUARD_HEAD_INCOMPLETE;
    }
    if (memcmp(scan->at, "HTTP/1.", 7) != 0 || scan->at[7] - '0' != scan->minor_version) {
        return GUARD_HEAD_VERSION;
    }
    scan->at += 8;
    return end_line(scan, GUARD_HEAD_VERSION);
}

static enum guard_head_verdict check_request_line(struct scan *scan)
{
    if (scan->end - scan->at >= 2 && memcmp(scan->at, "\r\n", 2) == 0) {
        scan->at += 2; /* one empty line before it is allowed by RFC 9112, 2.2 */
    }
    enum guard_head_verdict verdict = check_method(scan);
    if (verdict == GUARD_HEAD_OK) {
        verdict = check_target(scan);
    }
    return verdict == GUARD_HEAD_OK ? check_version(scan) : verdict;
}

/* Spaces, "/", "\\", "@", "?", "#" and the comma, which may be there once; control characters are
 * refused in every value. */
static bool is_suspect_in_host(char byte)
{
    static const uint64_t bits[4] = {0x8000900900000200U, 0x0000000010000001U, 0, 0};
    unsigned char c = (unsigned char)byte;
    return (bits[c >> 6] >> (c & 63) & 1) != 0;
}

static enum guard_head_verdict check_host(struct scan *scan, const char *value, size_t len)
{
    size_t commas = 0;
    if (scan->has_host) {
        return GUARD_HEAD_TWO_HOSTS;
    }
    scan->has_host = true;
    size_t plain = (size_t)(head_bytes_skip_host(value, value + len) - value);
    for (size_t i = plain; i < len; i++) {
        if (is_suspect_in_host(value[i]) && (value[i] != ',' || ++commas > 1)) {
            return GUARD_HEAD_BAD_HOST;
        }
    }
    if (scan->authority != NULL &&
        (scan->authority_len != len || strncasecmp(scan->authority, value, len) != 0)) {
        return GUARD_HEAD_OTHER_HOST;
    }
    return GUARD_HEAD_OK;
}

static enum guard_head_verdict check_content_length(struct scan *scan, const char *value,
                                                    size_t len)
{
    enum { DIGITS_MAX = 18 }; /* far below what overflows a size_t */
    if (scan->facts.has_content_length) {
        return GUARD_HEAD_TWO_LENGTHS;
    }
    scan->facts.has_content_length = true;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9') {
            return GUARD_HEAD_BAD_LENGTH;
        }
    }
    if (len == 0) {
        return GUARD_HEAD_BAD_LENGTH;
    }
    return len > DIGITS_MAX ? GUARD_HEAD_LENGTH_TOO_BIG : GUARD_HEAD_OK;
}

static enum guard_head_verdict check_transfer_encoding(struct scan *scan, const char *value,
                                                       size_t len)
{
    if (scan->facts.has_transfer_encoding) {
        return GUARD_HEAD_TWO_CODINGS;
    }
    scan->facts.has_transfer_encoding = true;
    return len == 7 && is_same_name(value, "chunked", 7) ? GUARD_HEAD_OK : GUARD_HEAD_BAD_CODING;
}

static enum guard_head_verdict check_expect(struct scan *scan, const char *value, size_t len)
{
    if (len == 12 && is_same_name(value, "100-continue", 12)) {
        scan->facts.expect_continue = true;
    }
    return GUARD_HEAD_OK;
}

static const struct known_header known_headers[] = {
    {"host", 4, check_host},
    {"expect", 6, check_expect},
    {"content-length", 14, check_content_length},
    {"transfer-encoding", 17, check_transfer_encoding},
};

static enum guard_head_verdict check_known(struct scan *scan, const char *name, size_t len,
                                           const char *value, const char *value_end)
{
    for (size_t i = 0; i < sizeof(known_headers) / sizeof(known_headers[0]); i++) {
        const struct known_header *known = &known_headers[i];
        if (known->len != len || !is_same_name(name, known->name, len)) {
            continue;
        }
        while (value < value_end && (*value == ' ' || *value == '\t')) {
            value++;
        }
        while (value < value_end && (value_end[-1] == ' ' || value_end[-1] == '\t')) {
            value_end--;
        }
        return known->check(scan, value, (size_t)(value_end - value));
    }
    return GUARD_HEAD_OK;
}

static enum guard_head_verdict check_name_end(const struct scan *scan, size_t name_len)
{
    if (scan->at == scan->end) {
        return GUARD_HEAD_INCOMPLETE;
    }
    if (*scan->at == ' ' || *scan->at == '\t') {
        return name_len == 0 ? GUARD_HEAD_FOLDED : GUARD_HEAD_SPACE_BEFORE_COLON;
    }
    if (*scan->at == '\n') {
        return GUARD_HEAD_BARE_LF;
    }
    return *scan->at == ':' && name_len > 0 ? GUARD_HEAD_OK : GUARD_HEAD_NAME;
}

static enum guard_head_verdict check_header_line(struct scan *scan)
{
    const char *name = scan->at;
    scan->at = head_bytes_skip_token(scan->at, scan->end);
    size_t name_len = (size_t)(scan->at - name);
    enum guard_head_verdict verdict = check_name_end(scan, name_len);
    if (verdict != GUARD_HEAD_OK) {
        return verdict;
    }
    const char *value = ++scan->at;
    scan->at = head_bytes_find_control(value, scan->end, 0x20);
    while (scan->at < scan->end && *scan->at == '\t') {
        scan->at = head_bytes_find_control(scan->at + 1, scan->end, 0x20);
    }
    const char *value_end = scan->at;
    verdict = end_line(scan, GUARD_HEAD_VALUE_CONTROL);
    if (verdict == GUARD_HEAD_OK && is_over(++scan->field_count, scan->limits->fields)) {
        return GUARD_HEAD_FIELDS_MANY;
    }
    return verdict == GUARD_HEAD_OK ? check_known(scan, name, name_len, value, value_end) : verdict;
}

/* What only the whole head shows. */
static enum guard_head_verdict check_framing(const struct scan *scan)
{
    size_t empty_line = 2;
    if (is_over((size_t)(scan->at - scan->fields) - empty_line, scan->limits->fields_bytes)) {
        return GUARD_HEAD_FIELDS_LARGE;
    }
    if (scan->facts.has_transfer_encoding && scan->facts.has_content_length) {
        return GUARD_HEAD_LENGTH_AND_CODING;
    }
    if (scan->facts.has_transfer_encoding && scan->minor_version == 0) {
        return GUARD_HEAD_CODING_ON_1_0;
    }
    return scan->minor_version > 0 && !scan->has_host ? GUARD_HEAD_NO_HOST : GUARD_HEAD_OK;
}

enum guard_head_verdict guard_head_check(const char *bytes, size_t len, int minor_version,
                                         const struct guard_head_limits *limits,
                                         struct guard_head_facts *ret_facts)
{
    struct scan scan = {
        .at = bytes, .end = bytes + len, .minor_version = minor_version, .limits = limits};
    enum guard_head_verdict verdict = check_request_line(&scan);
    scan.fields = scan.at;
    while (verdict == GUARD_HEAD_OK && (scan.at == scan.end || *scan.at != '\r')) {
        verdict = check_header_line(&scan);
    }
    if (verdict == GUARD_HEAD_OK) {
        verdict = end_line(&scan, GUARD_HEAD_BARE_CR);
    }
    if (verdict == GUARD_HEAD_OK) {
        verdict = check_framing(&scan);
    }
    if (verdict == GUARD_HEAD_OK) {
        scan.facts.head_len = (size_t)(scan.at - bytes);
        *ret_facts = scan.facts;
    }
    return verdict;
}
