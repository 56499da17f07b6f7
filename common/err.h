#ifndef FSD_COMMON_ERR_H
#define FSD_COMMON_ERR_H

/* The sentence that a person must read when something failed.  Filled once, where the cause is
 * known; whoever stops passing it on prints it. */

enum { FSD_ERR_MAX = 1024 };

struct fsd_err {
    char text[FSD_ERR_MAX]; /* no trailing full stop or newline; "" while nothing failed */
};

/* Writes the sentence (cut at FSD_ERR_MAX) and returns -errnum, so that a caller can write
 * `return fsd_err_set(err, EINVAL, "...")`.  err may be NULL: only the number is wanted. */
int fsd_err_set(struct fsd_err *err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
