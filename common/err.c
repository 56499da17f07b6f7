/* err.c - the one way to hand a sentence about a failure up to whoever prints it.
 * Owns nothing.  Pure: no log, no errno, no allocation, so it can be used when memory is out. */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>

int fsd_err_set(struct fsd_err *err, int errnum, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(err->text, sizeof(err->text), fmt, args); /* cut is what the header says */
        va_end(args);
    }
    return -errnum;
}
