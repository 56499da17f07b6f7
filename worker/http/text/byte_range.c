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

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool byte_range_is_bytes(const char *text, size_t len)
{
    static const char unit[] = "bytes=";
    return len >= sizeof(unit) - 1 && strncasecmp(text, unit, sizeof(unit) - 1) == 0;
}

/* Digits up to end: 1, and a number that is too large becomes the largest one.  0: there are none, -EINVAL: something else. */
static int read_number(const char *at, const char *end, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (at == end) {
        return 0;
    }
    for (; at < end; at++) {
        if (*at < '0' || *at > '9') {
            return -EINVAL;
        }
        uint64_t digit = (uint64_t)(*at - '0');
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    *ret_number = number;
    return 1;
}

/* One "first-last", "first-" or "-count"; false when nothing of the representation is meant. */
static bool read_range(const char *at, const char *end, uint64_t size, struct byte_range *ret_range)
{
    const char *dash = at < end ? memchr(at, '-', (size_t)(end - at)) : NULL;
    uint64_t first = 0;
    uint64_t last = 0;
    if (dash == NULL || size == 0) {
        return false;
    }
    int has_first = read_number(at, dash, &first);
    int has_last = read_number(dash + 1, end, &last);
    if (has_first < 0 || has_last < 0 || (has_first == 0 && (has_last == 0 || last == 0))) {
        return false;
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

/* The next piece of the list, without the blanks around it, and whether there is one behind it. */
static bool take_piece(const char **at, const char *end, const char **ret_start,
                       const char **ret_stop)
{
    const char *start = *at;
    const char *comma = start < end ? memchr(start, ',', (size_t)(end - start)) : NULL;
    const char *stop = comma != NULL ? comma : end;
    *at = comma != NULL ? comma + 1 : end;
    while (start < stop && is_blank(*start)) {
        start++;
    }
    while (stop > start && is_blank(stop[-1])) {
        stop--;
    }
    *ret_start = start;
    *ret_stop = stop;
    return comma != NULL;
}

int byte_range_parse(const char *text, size_t len, uint64_t size, bool combine,
                     struct byte_range ranges[BYTE_RANGE_MAX])
{
    const char *at = len > 0 ? memchr(text, '=', len) : NULL;
    const char *end = text + len;
    size_t count = 0;
    bool goes_on = true;
    if (at == NULL) {
        return -EINVAL;
    }
    at++;
    for (size_t named = 0; goes_on; named++) {
        const char *start;
        const char *stop;
        if (named == BYTE_RANGE_MAX) {
            return -E2BIG;
        }
        goes_on = take_piece(&at, end, &start, &stop);
        if (read_range(start, stop, size, &ranges[count])) {
            count++;
        }
    }
    if (count == 0) {
        return -ERANGE;
    }
    return (int)(combine ? join(ranges, count) : count);
}
