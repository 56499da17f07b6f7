#ifndef FSD_WORKER_HTTP_TEXT_HTTP_DATE_H
#define FSD_WORKER_HTTP_TEXT_HTTP_DATE_H

#include <stddef.h>
#include <stdint.h>

/* Dates in heads (RFC 9110 §5.6.7), as seconds since 1970 in UTC.  Pure. */

enum { HTTP_DATE_LEN = 29 };
/* The last second of 9999, the last one that has a text. */
#define HTTP_DATE_LAST INT64_C(253402300799)

/* "Sun, 06 Nov 1994 08:49:37 GMT"; what is before 1970 or behind HTTP_DATE_LAST becomes the nearest of these. */
void http_date_format(int64_t seconds, char text[HTTP_DATE_LEN + 1]);
/* All three forms: that one, "Sunday, 06-Nov-94 08:49:37 GMT" (two digits mean 1970 to 2069) and "Sun Nov  6 08:49:37 1994".
 * Letter by letter as they are written there; that the day of the week fits is not asked.  -EINVAL: anything else. */
int http_date_parse(const char *text, size_t len, int64_t *ret_seconds);

#endif
