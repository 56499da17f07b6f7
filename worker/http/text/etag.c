/* etag.c - entity tags: made of a body or of a file's dates, and compared with those that a request lists.
 *
 * Owns nothing.  A body's tag is its length and a hash of 64 bits, sixteen bytes a step: the two halves are multiplied to 128 bits and
 * folded, and the sum so far is multiplied by an odd number, which loses nothing of it, whatever is added.
 * Called for each answer that gets a tag, so small bodies must cost next to nothing, and by conditional.c.  Pure.
 * Must not know when a tag decides something (conditional.c). */
#include "worker/http/text/etag.h"

#include <endian.h>
#include <string.h>

/* Odd, with about as many ones as zeros: digits of the square roots of 2, 3, 5 and 7 behind the point. */
#define ROOT_2 UINT64_C(0x6a09e667f3bcc909)
#define ROOT_3 UINT64_C(0xbb67ae8584caa73b)
#define ROOT_5 UINT64_C(0x3c6ef372fe94f82b)
#define ROOT_7 UINT64_C(0xa54ff53a5f1d36f1)

enum { STEP = 16, HALF = 8 };

static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t read_half(const unsigned char *at)
{
    uint64_t half;
    memcpy(&half, at, HALF);
    return half;
}

uint64_t etag_hash(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t sum = ROOT_5 ^ len;
    size_t left = len;
    for (; left > STEP; left -= STEP, at += STEP) {
        sum = (sum + fold(read_half(at) ^ ROOT_2, read_half(at + HALF) ^ ROOT_3)) * ROOT_7;
    }
    unsigned char last[STEP] = {0}; /* the length tells zeros of ours from the body's */
    if (left > 0) {
        memcpy(last, at, left);
    }
    sum += fold(read_half(last) ^ ROOT_2 ^ sum, read_half(last + HALF) ^ ROOT_3);
    return fold(sum ^ ROOT_7, ROOT_5 ^ sum >> 32);
}

/* Eight digits at once: each nibble into a byte of its own, the first one the highest. */
static void write_digits(char to[HALF], uint32_t number)
{
    uint64_t nibbles = number;
    nibbles = (nibbles << 16 | nibbles) & UINT64_C(0x0000ffff0000ffff);
    nibbles = (nibbles << 8 | nibbles) & UINT64_C(0x00ff00ff00ff00ff);
    nibbles = (nibbles << 4 | nibbles) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t letters = (nibbles + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    uint64_t text = htobe64(nibbles + UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10));
    memcpy(to, &text, HALF);
}

static char *write_short(char *to, uint32_t number)
{
    char digits[HALF];
    size_t count = number == 0 ? 1 : (size_t)(35 - __builtin_clz(number)) / 4;
    write_digits(digits, number);
    memcpy(to, digits + HALF - count, count);
    return to + count;
}

/* Without zeros in front. */
static char *write_hex(char *to, uint64_t number)
{
    if (number >> 32 == 0) {
        return write_short(to, (uint32_t)number);
    }
    to = write_short(to, (uint32_t)(number >> 32));
    write_digits(to, (uint32_t)number);
    return to + HALF;
}

static size_t write_tag(char *text, bool is_weak, uint64_t size, uint64_t what)
{
    char *to = text;
    if (is_weak) {
        *to++ = 'W';
        *to++ = '/';
    }
    *to++ = '"';
    to = write_hex(to, size);
    *to++ = '-';
    to = write_hex(to, what);
    *to++ = '"';
    *to = '\0';
    return (size_t)(to - text);
}

size_t etag_from_body(const void *bytes, size_t len, bool is_weak, char text[ETAG_MAX])
{
    return write_tag(text, is_weak, len, etag_hash(bytes, len));
}

size_t etag_from_file(uint64_t size, int64_t mtime_s, uint32_t mtime_ns, char text[ETAG_MAX])
{
    return write_tag(text, true, size, (uint64_t)mtime_s * 1000000000U + mtime_ns);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* RFC 9110 §8.8.3: visible characters but the quote, and bytes beyond ASCII. */
static bool is_tag_char(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at)) {
        at++;
    }
    return at;
}

/* Where the tag that begins at at ends, behind its quote; NULL when none begins there. */
static const char *find_tag_end(const char *at, const char *end)
{
    if (end - at >= 2 && at[0] == 'W' && at[1] == '/') {
        at += 2;
    }
    if (at == end || *at != '"') {
        return NULL;
    }
    at++;
    while (at < end && is_tag_char(*at)) {
        at++;
    }
    return at < end && *at == '"' ? at + 1 : NULL;
}

bool etag_is_valid(const char *text, size_t len)
{
    const char *end = text + len;
    return find_tag_end(text, end) == end && len > 0;
}

static bool is_weak_tag(const char *text, size_t len)
{
    return len > 0 && text[0] == 'W';
}

static bool is_same(const char *one, size_t one_len, const char *other, size_t other_len,
                    bool is_strong)
{
    if (is_weak_tag(one, one_len)) {
        one += 2;
        one_len -= 2;
        if (is_strong) {
            return false;
        }
    }
    if (is_weak_tag(other, other_len)) {
        other += 2;
        other_len -= 2;
        if (is_strong) {
            return false;
        }
    }
    return one_len == other_len && memcmp(one, other, one_len) == 0;
}

bool etag_is_listed(const char *list, size_t list_len, const char *etag, size_t len, bool is_strong)
{
    const char *end = list + list_len;
    const char *at = list;
    if (!etag_is_valid(etag, len)) {
        return false;
    }
    while ((at = skip_blanks(at, end)) < end) {
        const char *tag_end = find_tag_end(at, end);
        const char *behind = tag_end != NULL ? skip_blanks(tag_end, end) : at;
        bool is_whole = tag_end != NULL && (behind == end || *behind == ',');
        if (is_whole && is_same(at, (size_t)(tag_end - at), etag, len, is_strong)) {
            return true;
        }
        const char *comma = memchr(behind, ',', (size_t)(end - behind));
        at = comma != NULL ? comma + 1 : end;
    }
    return false;
}

bool etag_is_any(const char *list, size_t len)
{
    const char *end = list + len;
    const char *at = skip_blanks(list, end);
    return at < end && *at == '*' && skip_blanks(at + 1, end) == end;
}
