/* param_kind.c - what a parameter of a path may be asked to be.
 * Pure.  A piece of the path that is not of its kind makes the route not match, so that the next one has its turn; what is of its kind
 * needs no more checks in handlers.
 * Called by dispatch.c for routes with such parameters.  Must not know what becomes of the value (params.c). */
#include "worker/http/app/param_kind.h"

#include <stdint.h>
#include <string.h>

#include "worker/core/hex_digit.h"

enum { UUID_LEN = 36, NUMBER_MAX = 64, SLUG_MAX = 255 };

static const char *const names[PARAM_KINDS] = {"", "integer", "number", "uuid", "slug"};

enum param_kind param_kind_find(const char *name)
{
    for (int kind = PARAM_INTEGER; kind < PARAM_KINDS; kind++) {
        if (strcmp(names[kind], name) == 0) {
            return (enum param_kind)kind;
        }
    }
    return PARAM_ANY;
}

const char *param_kind_name(enum param_kind kind)
{
    return names[kind];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t count_digits(const char *text, size_t len)
{
    size_t count = 0;
    while (count < len && is_digit(text[count])) {
        count++;
    }
    return count;
}

/* An optional minus and digits, within 64 bits with a sign. */
static bool is_integer(const char *text, size_t len)
{
    bool is_negative = len > 0 && text[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    uint64_t value = 0;
    size_t at = is_negative ? 1 : 0;
    if (at == len) {
        return false;
    }
    for (; at < len; at++) {
        if (!is_digit(text[at])) {
            return false;
        }
        uint64_t digit = (uint64_t)(text[at] - '0');
        if (value > (limit - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    return true;
}

/* "1", "-0.5", "1e6"; no ".5", no "0x1". */
static bool is_number(const char *text, size_t len)
{
    size_t at = len > 0 && text[0] == '-' ? 1 : 0;
    size_t digits = count_digits(text + at, len - at);
    if (len > NUMBER_MAX || digits == 0) {
        return false;
    }
    at += digits;
    if (at < len && text[at] == '.') {
        digits = count_digits(text + at + 1, len - at - 1);
        if (digits == 0) {
            return false;
        }
        at += digits + 1;
    }
    if (at < len && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < len && (text[at] == '-' || text[at] == '+')) {
            at++;
        }
        digits = count_digits(text + at, len - at);
        if (digits == 0) {
            return false;
        }
        at += digits;
    }
    return at == len;
}

static bool is_uuid(const char *text, size_t len)
{
    for (size_t i = 0; i < len && len == UUID_LEN; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : !hex_digit_is(text[i])) {
            return false;
        }
    }
    return len == UUID_LEN;
}

/* Letters, digits, "-" and "_". */
static bool is_slug(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char lower = (char)(text[i] | 0x20);
        if (!is_digit(text[i]) && !(lower >= 'a' && lower <= 'z') && text[i] != '-' &&
            text[i] != '_') {
            return false;
        }
    }
    return len > 0 && len <= SLUG_MAX;
}

bool param_kind_fits(enum param_kind kind, const char *text, size_t len)
{
    switch (kind) {
    case PARAM_INTEGER:
        return is_integer(text, len);
    case PARAM_NUMBER:
        return is_number(text, len);
    case PARAM_UUID:
        return is_uuid(text, len);
    case PARAM_SLUG:
        return is_slug(text, len);
    case PARAM_ANY:
    case PARAM_KINDS:
        break;
    }
    return true;
}
