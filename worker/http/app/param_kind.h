#ifndef FSD_WORKER_HTTP_APP_PARAM_KIND_H
#define FSD_WORKER_HTTP_APP_PARAM_KIND_H

#include <stdbool.h>
#include <stddef.h>

/* What app:param("id", "integer") says that a parameter is. */
enum param_kind { PARAM_ANY, PARAM_INTEGER, PARAM_NUMBER, PARAM_UUID, PARAM_SLUG, PARAM_KINDS };

/* The kind of this name, or PARAM_ANY. */
enum param_kind param_kind_find(const char *name);
/* The way back; "" for PARAM_ANY. */
const char *param_kind_name(enum param_kind kind);
/* Whether a piece of a path is of the kind: "-12" (64 bits), "1.5", "0190a6f2-....", "a-post_2".  None of them is percent-encoded. */
bool param_kind_fits(enum param_kind kind, const char *text, size_t len);

#endif
