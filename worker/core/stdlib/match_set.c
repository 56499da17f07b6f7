/* match_set.c - the classes (%a) and sets ([^%d_]) of Lua's patterns, as bits.
 * Owns the table of classes.  Pure.  A class is a constant of 256 bits, its opposite another one; a set is read into bits
 * once, so that every test of a byte costs the same however long the set is written.  The classes are those of the C
 * locale: what os.setlocale does to the process is nothing that a pattern should depend on.
 * Called by match.c.  Must not know what a pattern is beyond its sets. */
#include "worker/core/stdlib/match_set.h"

#include <stddef.h>
#include <string.h>

/* A class and its opposite, from the bits of the codes 0 to 63 and 64 to 127; no class has a byte above. */
#define CLASS(low, high)                                                                           \
    {{low, high, 0, 0}},                                                                           \
    {                                                                                              \
        {                                                                                          \
            ~(uint64_t)(low), ~(uint64_t)(high), ~(uint64_t)0, ~(uint64_t)0                        \
        }                                                                                          \
    }

static const struct match_set classes[] = {
    CLASS(0, 0x07fffffe07fffffe),                  /* a: letters */
    CLASS(0x00000000ffffffff, 0x8000000000000000), /* c: control characters */
    CLASS(0x03ff000000000000, 0),                  /* d: digits */
    CLASS(0xfffffffe00000000, 0x7fffffffffffffff), /* g: printable, but the space */
    CLASS(0, 0x07fffffe00000000),                  /* l: lower case */
    CLASS(0xfc00fffe00000000, 0x78000001f8000001), /* p: punctuation */
    CLASS(0x0000000100003e00, 0),                  /* s: white space */
    CLASS(0, 0x0000000007fffffe),                  /* u: upper case */
    CLASS(0x03ff000000000000, 0x07fffffe07fffffe), /* w: letters and digits */
    CLASS(0x03ff000000000000, 0x0000007e0000007e), /* x: hexadecimal digits */
    CLASS(1, 0), /* z: the byte 0; no longer in the manual, but there */
};

const struct match_set *match_set_of_class(char letter)
{
    /* from a on: the row of the class, counted from 1 */
    static const unsigned char rows['z' - 'a' + 1] = {1, 0, 2, 3, 0, 0, 4, 0, 0, 0, 0,  5, 0,
                                                      0, 0, 6, 0, 0, 7, 0, 8, 0, 9, 10, 0, 11};
    bool is_upper = letter >= 'A' && letter <= 'Z';
    char lower = (char)(letter | 0x20);
    if (lower < 'a' || lower > 'z') {
        return NULL;
    }
    int row = rows[lower - 'a'];
    return row == 0 ? NULL : &classes[2 * (row - 1) + is_upper];
}

static void add_byte(struct match_set *set, char byte)
{
    unsigned char code = (unsigned char)byte;
    set->words[code >> 6] |= (uint64_t)1 << (code & 63);
}

static void add_range(struct match_set *set, char first, char last)
{
    for (int code = (unsigned char)first; code <= (unsigned char)last; code++) {
        add_byte(set, (char)code);
    }
}

static void add_class(struct match_set *set, char letter)
{
    const struct match_set *class = match_set_of_class(letter);
    if (class == NULL) {
        add_byte(set, letter);
        return;
    }
    for (int i = 0; i < 4; i++) {
        set->words[i] |= class->words[i];
    }
}

/* The closing bracket: never the first byte, nor one behind a %. */
static const char *find_close(const char *text, const char *text_end)
{
    const char *at = text;
    do {
        if (at < text_end && *at == '%') {
            at++;
        }
        at++;
    } while (at < text_end && *at != ']');
    return at < text_end ? at : NULL;
}

const char *match_set_read(const char *text, const char *text_end, struct match_set *ret_set)
{
    struct match_set set = {0};
    bool is_negated = text < text_end && *text == '^';
    const char *at = text + is_negated;
    const char *close = find_close(at, text_end);
    if (close == NULL) {
        return NULL;
    }
    for (; at < close; at++) {
        if (*at == '%') {
            at++; /* at most the closing bracket itself, behind a range that ends with % */
            add_class(&set, *at);
        } else if (at[1] == '-' && at + 2 < close) {
            add_range(&set, at[0], at[2]);
            at += 2;
        } else {
            add_byte(&set, *at);
        }
    }
    for (int i = 0; i < 4; i++) {
        ret_set->words[i] = is_negated ? ~set.words[i] : set.words[i];
    }
    return close + 1;
}
