#ifndef FSD_WORKER_HTTP_TEXT_CONDITIONAL_H
#define FSD_WORKER_HTTP_TEXT_CONDITIONAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The conditions of a request (RFC 9110 §13).  Pure. */

struct conditional_text {
    const char *bytes; /* borrowed; NULL: there is no such header */
    size_t len;
};

/* The headers that set conditions; several of one name joined by a comma. */
struct conditional {
    struct conditional_text if_match;
    struct conditional_text if_unmodified_since;
    struct conditional_text if_none_match;
    struct conditional_text if_modified_since;
    struct conditional_text if_range;
    struct conditional_text
        cache_control; /* "no-cache" asks for the whole answer, whatever is known of it */
};

/* What there is now. */
struct conditional_state {
    struct conditional_text etag; /* bytes NULL: it has none */
    bool has_modified;
    int64_t modified_s;
};

enum conditional_verdict {
    CONDITIONAL_GO_ON,        /* answer as if there were no conditions */
    CONDITIONAL_NOT_MODIFIED, /* 304 */
    CONDITIONAL_FAILED,       /* 412 */
};

/* In the order of §13.2.2: If-Match or else If-Unmodified-Since, then If-None-Match or else If-Modified-Since.  reads: the
 * method is GET or HEAD. */
enum conditional_verdict conditional_judge(const struct conditional *conditional,
                                           const struct conditional_state *now, bool reads);
/* Whether the client's copy is as good as what there is; as the npm package fresh says.  That the method is GET or HEAD and the
 * status 2xx or 304 is the caller's to ask. */
bool conditional_is_fresh(const struct conditional *conditional,
                          const struct conditional_state *now);
/* Whether a Range counts: there is no If-Range, or it names, strongly, what there is. */
bool conditional_allows_range(const struct conditional *conditional,
                              const struct conditional_state *now);

#endif
