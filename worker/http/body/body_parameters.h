#ifndef FSD_WORKER_HTTP_BODY_BODY_PARAMETERS_H
#define FSD_WORKER_HTTP_BODY_BODY_PARAMETERS_H

#include <stddef.h>

#include "worker/http/body/body_text.h"

/* The parameters of a header's value: `; name=token; name="quoted \"text\""` (RFC 9110 §5.6.6), in order.  Pure. */
struct body_parameters {
    const char *at; /* borrowed from the caller */
    const char *end;
};

/* text is the whole value of the header: what stands before the first semicolon is passed over. */
void body_parameters_init(struct body_parameters *parameters, const char *text, size_t len);
/* The next one: its name as it stands in the text, and its value, unquoted into buf, which has room for as many bytes as
 * the text.  A backslash is an escape only before a quote or a backslash, since browsers have sent Windows paths.  1; 0 at
 * the end; -EINVAL for what is no parameter. */
int body_parameters_next(struct body_parameters *parameters, char *buf, struct body_text *ret_name,
                         struct body_text *ret_value);
/* The first one of that name, in any case: 0, or -ENOENT or -EINVAL. */
int body_parameters_find(const char *text, size_t len, const char *name, char *buf,
                         struct body_text *ret_value);

#endif
