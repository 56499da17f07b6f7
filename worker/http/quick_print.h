#ifndef FSD_WORKER_HTTP_QUICK_PRINT_H
#define FSD_WORKER_HTTP_QUICK_PRINT_H

#include <stdarg.h>
#include <stddef.h>

/* As vsprintf, for formats that have %s, %d and %zu only.  Returns the length; -1: there is something else, print it otherwise. */
__attribute__((format(printf, 2, 0))) int quick_print(char *text, const char *format, va_list args);

/* What becomes of sprintf in a library that is compiled with _FORTIFY_SOURCE; size is that of text, SIZE_MAX when it is not known. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the C library's name */
__attribute__((format(printf, 4, 5))) int __sprintf_chk(char *text, int flag, size_t size,
                                                        const char *format, ...);

#endif
