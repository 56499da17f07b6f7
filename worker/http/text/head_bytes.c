/* head_bytes.c - passes over the bytes of a request head that have no meaning of their own.
 * Owns nothing.  Eight bytes are looked at together, with the usual arithmetic on the high bits of a word; the rest, and what is rare,
 * goes one by one.
 * Called by guard_head.c, several times for each line of each HTTP/1 head, and by whoever judges a name.  Pure: must not know what a
 * head is made of. */
#include "worker/http/text/head_bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const uint64_t every_byte = 0x0101010101010101U;

/* Eight bytes, the first one in the lowest bits on every machine. */
static uint64_t load_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(word) : word;
}

/* RFC 9110 tchar: letters, digits, and !#$%&'*+-.^_`|~ */
static bool is_token(char byte)
{
    static const uint64_t bits[4] = {0x03ff6cfa00000000U, 0x57ffffffc7fffffeU, 0, 0};
    unsigned char c = (unsigned char)byte;
    return (bits[c >> 6] >> (c & 63) & 1) != 0;
}

/* Names are letters and "-" but for rarities, so that is what goes by eight. */
const char *head_bytes_skip_token(const char *at, const char *end)
{
    for (; end - at >= 8; at += 8) {
        uint64_t word = load_word(at);
        uint64_t low = word & (every_byte * 0x7f);
        uint64_t folded = low | (every_byte * 0x20);
        uint64_t from_a = folded + every_byte * (0x80 - 'a');
        uint64_t after_z = folded + every_byte * (0x7f - 'z');
        uint64_t no_dash = (low ^ (every_byte * '-')) + every_byte * 0x7f;
        uint64_t others = (word | ((~from_a | after_z) & no_dash)) & (every_byte * 0x80);
        if (others != 0) {
            at += __builtin_ctzll(others) / 8;
            break;
        }
    }
    while (at < end && is_token(*at)) {
        at++;
    }
    return at;
}

const char *head_bytes_find_control(const char *at, const char *end, unsigned char limit)
{
    for (; end - at >= 8; at += 8) {
        uint64_t word = load_word(at);
        uint64_t del = word ^ (every_byte * 0x7f);
        /* A high bit is set where the byte is a hit; borrows add false ones only above the first. */
        uint64_t hits = ((word - every_byte * limit) & ~word) | ((del - every_byte) & ~del);
        hits &= every_byte * 0x80;
        if (hits != 0) {
            return at + __builtin_ctzll(hits) / 8;
        }
    }
    while (at < end && (unsigned char)*at >= limit && *at != 0x7f) {
        at++;
    }
    return at;
}

/* Whether eight bytes are all ASCII from "-" on, and none of them is one that begins what is no host. */
static bool is_plain_host(const char *at)
{
    static const unsigned char others[] = {'/', '?', '@', '\\'};
    uint64_t word = load_word(at);
    uint64_t low = word & (every_byte * 0x7f);
    uint64_t plain = low + every_byte * (0x80 - '-');
    for (size_t i = 0; i < sizeof(others); i++) {
        plain &= (low ^ (every_byte * others[i])) + every_byte * 0x7f;
    }
    return ((~plain | word) & (every_byte * 0x80)) == 0;
}

const char *head_bytes_skip_host(const char *at, const char *end)
{
    const char *start = at;
    while (end - at >= 8 && is_plain_host(at)) {
        at += 8;
    }
    bool is_tail = at != start && end - at < 8; /* then a look at the last eight tells of it */
    return is_tail && is_plain_host(end - 8) ? end : at;
}
