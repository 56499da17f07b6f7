/*
 * parse.c - from text to numbers and truth values, the only place in fsd where that happens
 * (addresses are next door, in parse_address.c).
 *
 * Owns nothing: every function reads a NUL-terminated text and writes one value.  The whole text
 * must match, nothing is skipped, trimmed or guessed, and no locale takes part.  Numbers are
 * decimal even with leading zeros.
 *
 * Called by the configuration, the command lines and the control socket.  Must not print or log.
 */
#include "common/parse.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* One word behind a number, and what it multiplies by. */
struct unit {
    const char *word;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

static const struct unit size_units[] = {
    {"", 1},
    {"K", UINT64_C(1) << 10},
    {"KiB", UINT64_C(1) << 10},
    {"M", UINT64_C(1) << 20},
    {"MiB", UINT64_C(1) << 20},
    {"G", UINT64_C(1) << 30},
    {"GiB", UINT64_C(1) << 30},
};

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return (unsigned)(c - 'A') + 10;
    }
    return UINT_MAX;
}

/* Reads digits up to the first other character, which *text then points to. */
static int scan_digits(const char **text, unsigned radix, uint64_t max, uint64_t *ret_value)
{
    const char *at = *text;
    uint64_t value = 0;
    bool over = false;

    if (digit_value(*at) >= radix) {
        return -EINVAL;
    }
    for (; digit_value(*at) < radix; at++) {
        unsigned digit = digit_value(*at);
        over = over || value > (UINT64_MAX - digit) / radix;
        value = over ? UINT64_MAX : value * radix + digit;
    }
    *text = at;
    /* Out of range is said only after the rest of the text was seen to be well-formed. */
    *ret_value = value;
    return over || value > max ? -ERANGE : 0;
}

int parse_digits(const char *text, unsigned radix, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    int rc = scan_digits(&text, radix, max, &value);

    if (rc == -EINVAL || *text != '\0') {
        return -EINVAL;
    }
    if (rc == 0) {
        *ret_value = value;
    }
    return rc;
}

int parse_int(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
    bool negative = text[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t magnitude = 0;
    int rc = parse_digits(negative ? text + 1 : text, 10, limit, &magnitude);

    if (rc < 0) {
        return rc;
    }
    /* -(m - 1) - 1 reaches INT64_MIN without overflow. */
    int64_t value = (int64_t)(negative && magnitude > 0 ? magnitude - 1 : magnitude);
    if (negative && magnitude > 0) {
        value = -value - 1;
    }
    if (value < min || value > max) {
        return -ERANGE;
    }
    *ret_value = value;
    return 0;
}

static const char *skip_decimal_digits(const char *at)
{
    while (*at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

/* [-+] digits with an optional point, at least one digit, optional exponent: YAML's core schema. */
static bool is_decimal_float(const char *text)
{
    const char *at = *text == '-' || *text == '+' ? text + 1 : text;
    const char *whole = at;

    at = skip_decimal_digits(at);
    ptrdiff_t digits = at - whole;
    if (*at == '.') {
        const char *fraction = ++at;
        at = skip_decimal_digits(at);
        digits += at - fraction;
    }
    if (digits == 0) {
        return false;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at = *at == '-' || *at == '+' ? at + 1 : at;
        const char *exponent = at;
        at = skip_decimal_digits(at);
        if (at == exponent) {
            return false;
        }
    }
    return *at == '\0';
}

int parse_float(const char *text, double *ret_value)
{
    if (!is_decimal_float(text)) {
        return -EINVAL;
    }
    double value = strtod(text, NULL);
    if (isinf(value)) {
        return -ERANGE;
    }
    *ret_value = value;
    return 0;
}

static const struct unit *find_unit(const struct unit *units, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].word, word) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

/* The digits behind a point, as numerator / scale; at most nine of them. */
static int scan_fraction(const char **text, uint64_t *ret_numerator, uint64_t *ret_scale)
{
    const char *start = *text;
    int rc = scan_digits(text, 10, UINT64_MAX, ret_numerator);

    if (rc < 0 || *text - start > 9) {
        return -EINVAL;
    }
    *ret_scale = 1;
    for (const char *at = start; at < *text; at++) {
        *ret_scale *= 10;
    }
    return 0;
}

int parse_duration_ms(const char *text, uint64_t *ret_ms)
{
    uint64_t whole = 0;
    uint64_t numerator = 0;
    uint64_t scale = 1;
    int rc = scan_digits(&text, 10, UINT64_MAX, &whole);

    if (rc == -EINVAL) {
        return rc;
    }
    if (*text == '.') {
        text++;
        if (scan_fraction(&text, &numerator, &scale) < 0) {
            return -EINVAL;
        }
    }
    const struct unit *unit =
        find_unit(duration_units, sizeof(duration_units) / sizeof(*duration_units), text);
    /* Less than a millisecond cannot be kept, so it is refused instead of rounded. */
    if (unit == NULL || numerator * unit->factor % scale != 0) {
        return -EINVAL;
    }
    uint64_t fraction = numerator * unit->factor / scale;
    if (rc < 0 || whole > (UINT64_MAX - fraction) / unit->factor) {
        return -ERANGE;
    }
    *ret_ms = whole * unit->factor + fraction;
    return 0;
}

int parse_size_bytes(const char *text, uint64_t *ret_bytes)
{
    uint64_t count = 0;
    int rc = scan_digits(&text, 10, UINT64_MAX, &count);

    if (rc == -EINVAL) {
        return rc;
    }
    const struct unit *unit = find_unit(size_units, sizeof(size_units) / sizeof(*size_units), text);
    if (unit == NULL) {
        return -EINVAL;
    }
    if (rc < 0 || count > UINT64_MAX / unit->factor) {
        return -ERANGE;
    }
    *ret_bytes = count * unit->factor;
    return 0;
}
