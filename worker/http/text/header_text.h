#ifndef FSD_WORKER_HTTP_TEXT_HEADER_TEXT_H
#define FSD_WORKER_HTTP_TEXT_HEADER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* What may stand in a header that we send; libh2o 2.2.5 checks nothing. */

/* A field name: one or more token characters (RFC 9110 §5.6.2). */
bool header_text_is_name(const char *text, size_t len);
/* A field value: no control character but tab (RFC 9110 §5.5), so no CR, LF or NUL. */
bool header_text_is_value(const char *text, size_t len);
/* A header that says how the connection or the message is framed, in any case: only fsd may set it. */
bool header_text_is_ours(const char *name, size_t len);
/* Why an application may not send that header; NULL when it may.  The name is no text to show when it is no name. */
enum { HEADER_TEXT_NAME_MAX = 256 };
const char *header_text_fault(const char *name, size_t name_len, const char *value, size_t len);
/* The content type that res:type(word) means: "form", or what a file's name may end in ("html", "json", "text"; mime.h); NULL for other words. */
const char *header_text_find_type(const char *word);
/* The reason phrase of a status (RFC 9110 §15), "Unknown" when it has none. */
const char *header_text_reason(int status);

#endif
