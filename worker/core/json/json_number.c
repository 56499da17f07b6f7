/* json_number.c - the numbers of JSON, exactly, and fast for those that occur.
 *
 * Owns nothing; pure but for the locale's decimal point, which it undoes (os.setlocale may have set
 * one).  Reading: up to 2^53 times a power of ten up to 10^22 is one exact floating point operation,
 * everything else goes to strtod.  Writing: a float with few decimals is found by scaling it to an
 * integer and checking that the quotient comes back equal; everything else tries 15, 16, 17 digits.
 * Called by json_decode.c and json_encode.c for every number.
 * Must not know Lua. */
#include "worker/core/json/json_number.h"

#include <assert.h>
#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_EXACT = 19, /* of any such decimal integer a uint64_t has room */
    SLOW_TEXT_MAX = 128,
    POWERS = 23,
    DECIMALS_TRIED = 9,
};

/* Beyond this no text could have the digits to make up for it. */
static const int64_t exponent_clamp = INT64_C(1000000000000000);

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
_Static_assert(sizeof(powers_of_ten) / sizeof(powers_of_ten[0]) == POWERS, "10^0 to 10^22");

/* The parts of a number's text. */
struct parts {
    bool is_negative;
    bool has_fraction_or_exponent;
    uint64_t digits; /* the significant ones without the point; meaningless above DIGITS_EXACT */
    int digit_count;
    int64_t exponent; /* of ten, for digits */
};

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Returns how many digits were read. */
static int64_t read_digits(const char **at, const char *end, struct parts *parts)
{
    const char *from = *at;
    const char *here = from;
    uint64_t digits = parts->digits;
    int count = parts->digit_count;
    while (is_digit(here, end)) {
        digits = digits * 10 + (uint64_t)(*here++ - '0');
        count += (digits != 0 || count > 0) && count <= DIGITS_EXACT; /* it may wrap to 0 */
    }
    parts->digits = digits;
    parts->digit_count = count;
    *at = here;
    return here - from;
}

static int read_exponent(const char **at, const char *end, struct parts *parts)
{
    bool is_negative = *at < end && **at == '-';
    if (*at < end && (**at == '-' || **at == '+')) {
        (*at)++;
    }
    if (!is_digit(*at, end)) {
        return -EINVAL;
    }
    int64_t exponent = 0;
    while (is_digit(*at, end)) {
        exponent = exponent < exponent_clamp ? exponent * 10 + (**at - '0') : exponent;
        (*at)++;
    }
    parts->exponent += is_negative ? -exponent : exponent;
    return 0;
}

static int read_parts(const char **at, const char *end, struct parts *parts)
{
    parts->is_negative = **at == '-';
    *at += parts->is_negative;
    if (!is_digit(*at, end)) {
        return -EINVAL;
    }
    if (**at == '0') {
        (*at)++;
        if (is_digit(*at, end)) {
            return -EINVAL;
        }
    } else {
        (void)read_digits(at, end, parts); /* there is at least one */
    }
    if (*at < end && **at == '.') {
        (*at)++;
        parts->has_fraction_or_exponent = true;
        int64_t count = read_digits(at, end, parts);
        if (count == 0) {
            return -EINVAL;
        }
        parts->exponent = -count;
    }
    if (*at < end && (**at == 'e' || **at == 'E')) {
        (*at)++;
        parts->has_fraction_or_exponent = true;
        return read_exponent(at, end, parts);
    }
    return 0;
}

/* strtod wants a NUL behind the number and the locale's decimal point in it. */
static double parse_slowly(const char *from, const char *end)
{
    const char *point = localeconv()->decimal_point;
    size_t need = (size_t)(end - from) + strlen(point) + 1;
    char local[SLOW_TEXT_MAX];
    char *text = need <= sizeof(local) ? local : malloc(need);
    if (text == NULL) {
        abort(); /* the worker's rule: memory out is fatal */
    }
    char *out = text;
    for (; from < end; from++) {
        if (*from == '.') {
            out = stpcpy(out, point);
        } else {
            *out++ = *from;
        }
    }
    *out = '\0';
    double number = strtod(text, NULL);
    if (text != local) {
        free(text);
    }
    return number;
}

static bool parse_exactly(const struct parts *parts, double *ret_number)
{
    if (FLT_EVAL_METHOD != 0 || parts->digit_count > DIGITS_EXACT ||
        parts->digits > (UINT64_C(1) << DBL_MANT_DIG) || parts->exponent <= -POWERS ||
        parts->exponent >= POWERS) {
        return false;
    }
    double number = (double)parts->digits;
    number = parts->exponent < 0 ? number / powers_of_ten[-parts->exponent]
                                 : number * powers_of_ten[parts->exponent];
    *ret_number = parts->is_negative ? -number : number;
    return true;
}

int json_number_parse(const char **at, const char *end, struct json_number *ret_number)
{
    const char *from = *at;
    struct parts parts = {0};
    int r = read_parts(at, end, &parts);
    if (r < 0) {
        return r;
    }
    uint64_t limit = (uint64_t)INT64_MAX + parts.is_negative;
    if (!parts.has_fraction_or_exponent && parts.digit_count <= DIGITS_EXACT &&
        parts.digits <= limit) {
        uint64_t bits = parts.is_negative ? 0 - parts.digits : parts.digits;
        *ret_number = (struct json_number){.is_integer = true, .integer = (int64_t)bits};
        return 0;
    }
    double number = 0;
    if (!parse_exactly(&parts, &number)) {
        number = parse_slowly(from, *at);
    }
    if (!isfinite(number)) {
        return -ERANGE;
    }
    *ret_number = (struct json_number){.number = number};
    return 0;
}

/* Writes at least min_digits digits. */
static size_t format_digits(uint64_t value, size_t min_digits, char *text)
{
    char reversed[JSON_NUMBER_TEXT_MAX];
    size_t len = 0;
    while (value != 0 || len < min_digits) {
        reversed[len++] = (char)('0' + value % 10);
        value /= 10;
    }
    for (size_t i = 0; i < len; i++) {
        text[i] = reversed[len - 1 - i];
    }
    return len;
}

size_t json_number_format_integer(int64_t value, char text[JSON_NUMBER_TEXT_MAX])
{
    if (value < 0) {
        text[0] = '-';
        return 1 + format_digits(0 - (uint64_t)value, 1, text + 1);
    }
    return format_digits((uint64_t)value, 1, text);
}

/* A float whose shortest text has few decimals; 0 when this one has not. */
static size_t format_few_decimals(double magnitude, char *text)
{
    const double limit = 1125899906842624.0; /* 2^50: scaling errs by less than a quarter */
    for (unsigned decimals = 1; decimals <= DECIMALS_TRIED; decimals++) {
        double scaled = magnitude * powers_of_ten[decimals];
        if (scaled >= limit) {
            return 0;
        }
        uint64_t digits = (uint64_t)(scaled + 0.5);
        if ((double)digits / powers_of_ten[decimals] == magnitude) {
            uint64_t one = (uint64_t)powers_of_ten[decimals];
            size_t len = format_digits(digits / one, 1, text);
            text[len++] = '.';
            return len + format_digits(digits % one, decimals, text + len);
        }
    }
    return 0;
}

/* Copies what printf wrote, with a point for the locale's one, and as a float. */
static size_t copy_as_float(const char *from, char *text)
{
    size_t len = 0;
    bool is_float = false;
    for (; *from != '\0'; from++) {
        bool is_number = (*from >= '0' && *from <= '9') || *from == '-' || *from == '+';
        if (is_number || *from == 'e') {
            text[len++] = *from;
        } else if (len > 0 && text[len - 1] != '.') {
            text[len++] = '.'; /* one for all the bytes of the locale's */
        }
        is_float = is_float || !is_number;
    }
    if (!is_float) {
        text[len++] = '.';
        text[len++] = '0';
    }
    return len;
}

size_t json_number_format_float(double value, char text[JSON_NUMBER_TEXT_MAX])
{
    assert(isfinite(value));
    double magnitude = fabs(value);
    if (magnitude >= 1e-5 || magnitude == 0) {
        size_t sign_len = signbit(value) ? 1 : 0;
        text[0] = '-';
        size_t len = format_few_decimals(magnitude, text + sign_len);
        if (len > 0) {
            return sign_len + len;
        }
    }
    char printed[JSON_NUMBER_TEXT_MAX];
    int fewest = magnitude < DBL_MIN ? 1 : DBL_DIG; /* below it, fewer can be enough */
    for (int digits = fewest; digits <= DBL_DECIMAL_DIG; digits++) {
        int len = snprintf(printed, sizeof(printed), "%.*g", digits, value);
        assert(len > 0 && len < (int)sizeof(printed));
        if (digits == DBL_DECIMAL_DIG || strtod(printed, NULL) == value) {
            break;
        }
    }
    return copy_as_float(printed, text);
}
