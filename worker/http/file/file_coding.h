#ifndef FSD_WORKER_HTTP_FILE_FILE_CODING_H
#define FSD_WORKER_HTTP_FILE_FILE_CODING_H

#include <h2o.h>
#include <stddef.h>

enum { FILE_CODING_MAX = 16 };

/* The content coding of files that end in "." and this word: "gzip" for "gz"; NULL: none. */
const char *file_coding_name(const char *ending);
/* Which of count such endings the client takes, at least as gladly as the file itself: their numbers in the order of its liking, and
 * of ours where it likes them the same.  Returns how many. */
size_t file_coding_choose(const h2o_req_t *req, char *const *endings, size_t count,
                          unsigned ret_order[FILE_CODING_MAX]);

#endif
