/* router_text.c - hash and comparison of path pieces, optionally blind to the case of ASCII.
 * Owns nothing.  Works on eight bytes at a time, because a request's whole path is hashed once and
 * most of its segments again; letters are lowered within the word, without a copy of the path.
 * The router's tables call it at registration and for each request.
 * Must not know what a segment is, and knows nothing of percent-encoding. */
#include "worker/http/route/router_text.h"

#include <string.h>

static const uint64_t ones = 0x0101010101010101U;

/* Sets bit 5 of each byte that is A-Z; fold_bits is all high bits, or 0 for "as it is". */
static inline uint64_t fold_word(uint64_t word, uint64_t fold_bits)
{
    uint64_t low = word & (ones * 0x7f);
    uint64_t from_a = low + ones * (0x80 - 'A');
    uint64_t after_z = low + ones * (0x7f - 'Z');
    uint64_t is_upper = (from_a ^ after_z) & ~word & fold_bits;
    return word | (is_upper >> 2);
}

static inline uint64_t load_word(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    return word;
}

/* Fewer than eight bytes as one word, another one for each content. */
static inline uint64_t load_tail(const char *text, size_t len)
{
    if (len >= 4) {
        uint32_t head;
        uint32_t tail;
        memcpy(&head, text, sizeof(head));
        memcpy(&tail, text + len - 4, sizeof(tail));
        return (uint64_t)head << 32 | tail;
    }
    if (len == 0) {
        return 0;
    }
    return (uint64_t)(unsigned char)text[0] |
           ((uint64_t)(unsigned char)text[len / 2] << (len / 2 * 8)) |
           ((uint64_t)(unsigned char)text[len - 1] << ((len - 1) * 8));
}

uint64_t router_text_hash(const char *text, size_t len, bool fold)
{
    uint64_t fold_bits = fold ? ones * 0x80 : 0;
    uint64_t hash = len * 0x9e3779b97f4a7c15U;
    for (; len >= 8; text += 8, len -= 8) {
        hash = (hash ^ fold_word(load_word(text), fold_bits)) * 0xff51afd7ed558ccdU;
        hash ^= hash >> 32;
    }
    hash = (hash ^ fold_word(load_tail(text, len), fold_bits)) * 0xff51afd7ed558ccdU;
    return hash ^ (hash >> 32);
}

bool router_text_equal(const char *key, const char *text, size_t len, bool fold)
{
    uint64_t fold_bits = fold ? ones * 0x80 : 0;
    for (; len >= 8; key += 8, text += 8, len -= 8) {
        if (load_word(key) != fold_word(load_word(text), fold_bits)) {
            return false;
        }
    }
    return load_tail(key, len) == fold_word(load_tail(text, len), fold_bits);
}

void router_text_fold(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z') {
            text[i] = (char)(text[i] | 0x20);
        }
    }
}
