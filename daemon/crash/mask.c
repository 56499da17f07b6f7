/* mask.c - hides secrets in the texts of crash reports, and makes the texts harmless.
 * Owns nothing.  One walk over the text: at each place it looks whether a known secret stands there, and at each word whether
 * it announces one (mask_key.c); what is found is replaced by one sign of fixed length, which does not tell how long the
 * secret was.  Everything else goes through the reader of text.c.
 * Called by report.c for every text of a worker.  Pure. */
#include "daemon/crash/mask.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "daemon/crash/mask_key.h"
#include "daemon/log/text.h"

struct walk {
    const struct mask *mask;
    const char *text;
    size_t len;
    struct mask_range hidden; /* the next part to hide; found before it is reached */
    char *copy;
    size_t size;
    size_t used;
};

static int read_hex(char digit)
{
    if (isdigit((unsigned char)digit)) {
        return digit - '0';
    }
    return isxdigit((unsigned char)digit) ? tolower((unsigned char)digit) - 'a' + 10 : -1;
}

/* One byte of the text, percent-encoded or not.  Returns how many bytes stand for it. */
static size_t read_byte(const struct walk *walk, size_t at, char *ret_byte)
{
    *ret_byte = walk->text[at];
    if (*ret_byte == '%' && at + 2 < walk->len) {
        int high = read_hex(walk->text[at + 1]);
        int low = read_hex(walk->text[at + 2]);
        if (high >= 0 && low >= 0) {
            *ret_byte = (char)(high * 16 + low);
            return 3;
        }
    }
    return 1;
}

/* Where the secret that begins at at ends, also if the text breaks off in it; at when it is not there. */
static size_t match(const struct walk *walk, size_t at, const char *secret)
{
    size_t end = at;
    size_t matched = 0;
    while (end < walk->len && secret[matched] != '\0') {
        char byte;
        size_t took = walk->text[end] == secret[matched] ? 1 : read_byte(walk, end, &byte);
        if (took == 3 ? byte != secret[matched] : walk->text[end] != secret[matched]) {
            return at;
        }
        end += took;
        matched++;
    }
    return matched < MASK_SECRET_MIN ? at : end;
}

/* The end of the longest known secret that begins at at; at when there is none. */
static size_t find_secret(const struct walk *walk, size_t at)
{
    size_t end = at;
    char first = walk->text[at];
    for (size_t i = 0; walk->mask != NULL && i < walk->mask->count; i++) {
        const char *secret = walk->mask->secrets[i];
        if (secret[0] == first || first == '%') { /* cheap, as this is asked at each byte */
            size_t found = match(walk, at, secret);
            end = found > end ? found : end;
        }
    }
    return end;
}

/* False when there is no room. */
static bool put(struct walk *walk, const char *bytes, size_t count)
{
    if (walk->used + count >= walk->size) {
        return false;
    }
    memcpy(walk->copy + walk->used, bytes, count);
    walk->used += count;
    return true;
}

/* Looks for what is announced at at, unless something is announced already. */
static void look_ahead(struct walk *walk, size_t at)
{
    if (walk->hidden.to > at) {
        return;
    }
    char byte = walk->text[at];
    if (byte == ':') {
        walk->hidden = mask_key_find_url(walk->text, walk->len, at);
    } else if (mask_key_is_word(byte) && (at == 0 || !mask_key_is_word(walk->text[at - 1]))) {
        walk->hidden = mask_key_find(walk->text, walk->len, at);
    }
}

/* The end of what must be hidden from at on; at when nothing must. */
static size_t find_hidden_end(const struct walk *walk, size_t at)
{
    size_t end = find_secret(walk, at);
    if (at >= walk->hidden.from && walk->hidden.to > end) {
        end = walk->hidden.to;
    }
    for (size_t i = at + 1; i < end; i++) { /* a secret that begins inside and reaches further */
        size_t further = find_secret(walk, i);
        end = further > end ? further : end;
    }
    return end;
}

/* Copies what stands at at; returns the place behind it, or 0 when there is no room. */
static size_t step(struct walk *walk, size_t at)
{
    look_ahead(walk, at);
    size_t end = find_hidden_end(walk, at);
    if (end > at) {
        return put(walk, MASK_SIGN, strlen(MASK_SIGN)) ? end : 0;
    }
    int32_t code;
    size_t took = text_next(walk->text + at, walk->len - at, &code);
    bool is_bad = code < 0 || text_is_control(code);
    const char *shown = code == '\t' ? " " : "?";
    return put(walk, is_bad ? shown : walk->text + at, is_bad ? 1 : took) ? at + took : 0;
}

size_t mask_text(const struct mask *mask, const char *text, size_t len, char *copy, size_t size)
{
    struct walk walk = {.mask = mask, .text = text, .len = len, .copy = copy, .size = size};
    for (size_t at = 0; at < len;) {
        size_t next = step(&walk, at);
        if (next == 0) {
            break;
        }
        at = next;
    }
    while (walk.used > 0 && (copy[walk.used - 1] == '\n' || copy[walk.used - 1] == ' ')) {
        walk.used--;
    }
    copy[walk.used] = '\0';
    return walk.used;
}
