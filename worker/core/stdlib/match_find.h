#ifndef FSD_WORKER_CORE_STDLIB_MATCH_FIND_H
#define FSD_WORKER_CORE_STDLIB_MATCH_FIND_H

#include "worker/core/stdlib/match.h"

/* The first match that begins at from or behind it. */
enum match_result match_find(struct match *match, const char *from);
/* Where text stands in the subject, at from or behind it; NULL when it does not. */
const char *match_find_plain(struct match_text subject, size_t from, struct match_text text);

#endif
