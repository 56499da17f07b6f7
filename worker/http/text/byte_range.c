/* byte_range.c - which parts of a representation a client wants.
 *
 * Owns nothing.  The list is read once, from left to right, into the caller's array; combining looks at each pair, which is cheap
 * because there are sixteen at most - and without that bound, or with overlapping parts, one request could ask for a file a hundred
 * times over.
 * Called by what answers with parts of files and bodies, and by req:range.  Pure.
 * Must not know how parts are sent. */
#include "worker/http/text/byte_range.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct span { /* borrowed from the header */
    const char *at;
    const char *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool byte_range_is_bytes(const char *text, size_t len)
{
    static const char unit[] = "bytes=";
    return len >= sizeof(unit) - 1 && strncasecmp(text, unit, sizeof(unit) - 1) == 0;
}

/* Digits: 1, and a number that is too large becomes the largest one.  0: there are none, -EINVAL: something else. */
static int read_number(struct span digits, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (digits.at == digits.end) {
        return 0;
    }
    for (const char *at = digits.at; at < digits.end; at++) {
        if (*at < '0' || *at > '9') {
            return -EINVAL;
        }
        uint64_t digit = (uint64_t)(*at - '0');
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    *ret_number = number;
    return 1;
}

static struct span trim(const char *at, const char *end)
{
    while (at < end && is_blank(*at)) {
        at++;
    }
    while (end > at && is_blank(end[-1])) {
        end--;
    }
    return (struct span){at, end};
}

/* One "first-last", "first-" or "-count": 1, 0 when nothing of the representation is meant, -EINVAL: it is none of these. */
static int read_range(struct span piece, uint64_t size, struct byte_range *ret_range)
{
    const char *dash =
        piece.at < piece.end ? memchr(piece.at, '-', (size_t)(piece.end - piece.at)) : NULL;
    uint64_t first = 0;
    uint64_t last = 0;
    if (dash == NULL) {
        return -EINVAL;
    }
    int has_first = read_number(trim(piece.at, dash), &first);
    int has_last = read_number(trim(dash + 1, piece.end), &last);
    if (has_first < 0 || has_last < 0 || (has_first == 0 && has_last == 0)) {
        return -EINVAL;
    }
    if (size == 0 || (has_first == 0 && last == 0)) {
        return 0;
    }
    if (has_first == 0) { /* the last so many */
        first = last < size ? size - last : 0;
        last = size - 1;
    } else if (has_last == 0 || last > size - 1) {
        last = size - 1;
    }
    *ret_range = (struct byte_range){first, last};
    return first <= last;
}

/* Whether they overlap, or one begins right behind the other. */
static bool is_joined(const struct byte_range *one, const struct byte_range *other)
{
    return (one->first == 0 || one->first - 1 <= other->last) &&
           (other->first == 0 || other->first - 1 <= one->last);
}

static size_t remove_range(struct byte_range *ranges, size_t count, size_t at)
{
    memmove(&ranges[at], &ranges[at + 1], (count - at - 1) * sizeof(ranges[0]));
    return count - 1;
}

/* A joined pair takes the place of the first of them. */
static size_t join(struct byte_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count;) {
            if (!is_joined(&ranges[i], &ranges[j])) {
                j++;
                continue;
            }
            if (ranges[j].first < ranges[i].first) {
                ranges[i].first = ranges[j].first;
            }
            if (ranges[j].last > ranges[i].last) {
                ranges[i].last = ranges[j].last;
            }
            count = remove_range(ranges, count, j);
            j = i + 1; /* the larger one may touch those that it did not touch before */
        }
    }
    return count;
}

/* The next piece of the list, and whether there is one behind it. */
static bool take_piece(struct span *rest, struct span *ret_piece)
{
    const char *comma =
        rest->at < rest->end ? memchr(rest->at, ',', (size_t)(rest->end - rest->at)) : NULL;
    *ret_piece = (struct span){rest->at, comma != NULL ? comma : rest->end};
    rest->at = comma != NULL ? comma + 1 : rest->end;
    return comma != NULL;
}

int byte_range_parse(const char *text, size_t len, uint64_t size, bool combine,
                     struct byte_range ranges[BYTE_RANGE_MAX])
{
    const char *equals = len > 0 ? memchr(text, '=', len) : NULL;
    size_t count = 0;
    bool goes_on = true;
    if (equals == NULL) {
        return -EINVAL;
    }
    struct span rest = {equals + 1, text + len};
    for (size_t named = 0; goes_on; named++) {
        struct span piece;
        if (named == BYTE_RANGE_MAX) {
            return -E2BIG;
        }
        goes_on = take_piece(&rest, &piece);
        int found = read_range(piece, size, &ranges[count]);
        if (found < 0) {
            return found;
        }
        count += (size_t)found;
    }
    if (count == 0) {
        return -ERANGE;
    }
    return (int)(combine ? join(ranges, count) : count);
}
