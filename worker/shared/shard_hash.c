/* shard_hash.c - where a key belongs.
 * Owns nothing.  SipHash with one round a word and three at the end, keyed by the seed that the master drew for the dictionary: keys
 * are often words of clients (addresses, tokens), and without the seed none can be made that all land in one place.
 * Called for each operation of a dictionary.  Pure.  Must not know what a key means. */
#include "worker/shared/shard_hash.h"

#include <string.h>

struct sip {
    uint64_t a;
    uint64_t b;
    uint64_t c;
    uint64_t d;
};

enum { END_ROUNDS = 3, WORD = sizeof(uint64_t) };

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void mix(struct sip *sip)
{
    sip->a += sip->b;
    sip->c += sip->d;
    sip->b = rotate(sip->b, 13) ^ sip->a;
    sip->d = rotate(sip->d, 16) ^ sip->c;
    sip->a = rotate(sip->a, 32);
    sip->c += sip->b;
    sip->a += sip->d;
    sip->b = rotate(sip->b, 17) ^ sip->c;
    sip->d = rotate(sip->d, 21) ^ sip->a;
    sip->c = rotate(sip->c, 32);
}

static void feed(struct sip *sip, uint64_t word)
{
    sip->d ^= word;
    mix(sip);
    sip->a ^= word;
}

uint64_t shard_hash(uint64_t seed, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t other =
        ~seed; /* the algorithm wants 128 bits of key; 64 secret ones are enough here */
    struct sip sip = {seed ^ 0x736f6d6570736575U, other ^ 0x646f72616e646f6dU,
                      seed ^ 0x6c7967656e657261U, other ^ 0x7465646279746573U};
    uint64_t word;
    for (size_t left = len; left >= WORD; left -= WORD) {
        memcpy(&word, at, WORD);
        feed(&sip, word);
        at += WORD;
    }
    word = 0;
    memcpy(&word, at, len % WORD);
    feed(&sip, word | (uint64_t)len << 56);
    sip.c ^= 0xff;
    for (int i = 0; i < END_ROUNDS; i++) {
        mix(&sip);
    }
    return sip.a ^ sip.b ^ sip.c ^ sip.d;
}
