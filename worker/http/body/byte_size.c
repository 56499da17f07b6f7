/* byte_size.c - sizes in options: "100kb".
 * Owns nothing; pure.  Called by mod_body_core.c.  Must not know whose limit it is; the configuration has its own form, which is
 * stricter (common/parse). */
#include "worker/http/body/byte_size.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { WHOLE_MAX = 13, FRACTION_MAX = 6 }; /* digits */

struct scan {
    const char *at;
    const char *end;
};

/* Digits as a number; false for none, or for more than max. */
static bool take_digits(struct scan *scan, int max, uint64_t *ret_value, uint64_t *ret_scale)
{
    uint64_t value = 0;
    uint64_t scale = 1;
    int count = 0;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' && count < max) {
        value = value * 10 + (uint64_t)(*scan->at++ - '0');
        scale *= 10;
        count++;
    }
    *ret_value = value;
    *ret_scale = scale;
    return count > 0 && (scan->at == scan->end || *scan->at < '0' || *scan->at > '9');
}

static int take_unit(const struct scan *scan, unsigned *ret_shift)
{
    static const struct {
        const char *name;
        unsigned shift;
    } units[] = {
        {"", 0},    {"b", 0},    {"k", 10}, {"kb", 10}, {"kib", 10}, {"m", 20},
        {"mb", 20}, {"mib", 20}, {"g", 30}, {"gb", 30}, {"gib", 30},
    };
    size_t len = (size_t)(scan->end - scan->at);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, scan->at, len) == 0) {
            *ret_shift = units[i].shift;
            return 0;
        }
    }
    return -EINVAL;
}

int byte_size_parse(const char *text, size_t len, uint64_t *ret_bytes)
{
    struct scan scan = {text, text + len};
    uint64_t whole = 0;
    uint64_t fraction = 0;
    uint64_t scale = 1;
    uint64_t ignored = 0;
    unsigned shift = 0;
    if (!take_digits(&scan, WHOLE_MAX, &whole, &ignored)) {
        return -EINVAL;
    }
    if (scan.at < scan.end && *scan.at == '.') {
        scan.at++;
        if (!take_digits(&scan, FRACTION_MAX, &fraction, &scale)) {
            return -EINVAL;
        }
    }
    while (scan.at < scan.end && *scan.at == ' ') {
        scan.at++;
    }
    if (take_unit(&scan, &shift) < 0) {
        return -EINVAL;
    }
    if (whole > ((uint64_t)BYTE_SIZE_MAX_GB << 30) >> shift) {
        return -ERANGE;
    }
    *ret_bytes = (whole << shift) + (fraction << shift) / scale;
    return 0;
}
