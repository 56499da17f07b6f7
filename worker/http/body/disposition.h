#ifndef FSD_WORKER_HTTP_BODY_DISPOSITION_H
#define FSD_WORKER_HTTP_BODY_DISPOSITION_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/http/body/body_parameters.h"

/* The Content-Disposition of a part (RFC 7578 §4.2).  Pure. */
struct disposition {
    bool is_form_data;
    struct body_text name;     /* bytes NULL: it has none */
    struct body_text filename; /* bytes NULL: it is no file; "" for a name that is not usable */
};

/* The texts lie in buf afterwards, which has room for 3 * len bytes.  Of a path only the last component is kept, and nothing
 * of "." and ".."; filename* (RFC 8187) goes before filename.  -EBADMSG: malformed, also a name or filename that is
 * given twice, or with control characters. */
int disposition_parse(const char *text, size_t len, char *buf, struct disposition *ret_disposition);

#endif
