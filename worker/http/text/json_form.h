#ifndef FSD_WORKER_HTTP_TEXT_JSON_FORM_H
#define FSD_WORKER_HTTP_TEXT_JSON_FORM_H

#include "worker/core/json/json.h"

/* What a document in JSON may not contain where it is sent: as \uXXXX it means the same. */
enum json_form_escapes {
    JSON_FORM_HTML,   /* < > &, which a browser might take for HTML */
    JSON_FORM_SCRIPT, /* U+2028 and U+2029, which end a line of JavaScript */
};

/* Each replaces what is in the buffer, one document without blanks. */
void json_form_escape(struct json_buf *buf, enum json_form_escapes escapes);
/* A line for each member, as JSON.stringify of JavaScript writes it with such an indentation a level. */
void json_form_indent(struct json_buf *buf, const char *indent);

#endif
