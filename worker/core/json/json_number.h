#ifndef FSD_WORKER_CORE_JSON_JSON_NUMBER_H
#define FSD_WORKER_CORE_JSON_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* JSON's numbers from and to text, whatever the locale.  Pure. */

struct json_number {
    bool is_integer;
    int64_t integer;
    double number;
};

/* Reads the number that begins at *at (a digit or '-') and moves *at behind it.  -EINVAL: not the
 * grammar of RFC 8259, *at is where it breaks; -ERANGE: too large for a double. */
int json_number_parse(const char **at, const char *end, struct json_number *ret_number);

enum { JSON_NUMBER_TEXT_MAX = 40 };

/* Both write without a NUL and return the length.  A float must be finite; it is written with the
 * fewest digits that come back equal, and with a fraction or an exponent. */
size_t json_number_format_integer(int64_t value, char text[JSON_NUMBER_TEXT_MAX]);
size_t json_number_format_float(double value, char text[JSON_NUMBER_TEXT_MAX]);

#endif
