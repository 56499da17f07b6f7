#ifndef FSD_WORKER_CORE_HEX_DIGIT_H
#define FSD_WORKER_CORE_HEX_DIGIT_H

#include <stdbool.h>

/* 0 to 15, or -1 for what is no hexadecimal digit. */
static inline int hex_digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char letter = (char)(digit | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static inline bool hex_digit_is(char digit)
{
    return hex_digit_value(digit) >= 0;
}

#endif
