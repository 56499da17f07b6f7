#ifndef FSD_WORKER_HTTP_TEXT_TYPE_TEXT_H
#define FSD_WORKER_HTTP_TEXT_TYPE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether "; charset=utf-8" belongs behind that content type: it is text, and does not say its charset yet. */
bool type_text_wants_charset(const char *type, size_t len);
/* What stands in front of the parameters, without blanks: "text/html" of "text/html; charset=utf-8". */
size_t type_text_essence_len(const char *type, size_t len);

#endif
