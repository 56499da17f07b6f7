/* quick_print.c - the sprintf of this program, quick for what libh2o prints in front of each answer.
 * Owns nothing.  Libh2o makes the first lines of a head by one sprintf, for which the C library makes up a stream and moves byte by byte
 * into it: a sixth of the instructions of a small request.  There is no other way to print them; but a function of the program
 * takes the place of a library's of the same name, in all libraries, as allocators do.  This one does texts and plain
 * numbers, and hands everything else to the C library: what has other marks, and what is to be checked for its room.
 * Called by libh2o (http1.c, flatten_headers), and by whatever library prints something.  Must not know what is printed. */
#include "worker/http/quick_print.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 20 }; /* of 64 bits */

static char *put_bytes(char *to, const char *bytes, size_t len)
{
    memcpy(to, bytes, len);
    return to + len;
}

static char *put_size(char *to, size_t number)
{
    char digits[DIGITS_MAX];
    size_t first = DIGITS_MAX;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put_bytes(to, digits + first, DIGITS_MAX - first);
}

static char *put_int(char *to, int number)
{
    if (number >= 0) {
        return put_size(to, (size_t)number);
    }
    *to = '-';
    return put_size(to + 1, 0 - (size_t)number);
}

int quick_print(char *text, const char *format, va_list args)
{
    char *to = text;
    const char *mark;
    for (; *(mark = strchrnul(format, '%')) != '\0'; format = mark + 2) {
        to = put_bytes(to, format, (size_t)(mark - format));
        if (mark[1] == 's') {
            const char *word = va_arg(args, const char *);
            if (word == NULL) {
                return -1;
            }
            to = put_bytes(to, word, strlen(word));
        } else if (mark[1] == 'd') {
            to = put_int(to, va_arg(args, int));
        } else if (mark[1] == 'z' && mark[2] == 'u') {
            to = put_size(to, va_arg(args, size_t));
            mark++;
        } else {
            return -1;
        }
    }
    to = put_bytes(to, format, (size_t)(mark - format) + 1); /* with the zero */
    return (int)(to - text) - 1;
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the C library's name */
int __sprintf_chk(char *text, int flag, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = size == SIZE_MAX ? quick_print(text, format, args) : -1;
    va_end(args);
    if (len < 0) {
        va_start(args, format);
        len = __builtin___vsprintf_chk(text, flag, size, format, args);
        va_end(args);
    }
    return len;
}
