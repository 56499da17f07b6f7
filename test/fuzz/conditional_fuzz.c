/* sources: worker/http/text/conditional.c worker/http/text/etag.c worker/http/text/http_date.c | */
/* The conditions of a request, six lines in the order of struct conditional ("-": no such header), judged against a strong and a weak
 * tag: a copy that a strong comparison takes is taken by a weak one as well, and without conditions nothing is refused. */
#include "worker/http/text/conditional.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/text/etag.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conditional_text take_line(const char **at, const char *end)
{
    const char *start = *at;
    const char *stop = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
    *at = stop != NULL ? stop + 1 : end;
    size_t len = (size_t)((stop != NULL ? stop : end) - start);
    if (len == 1 && start[0] == '-') {
        return (struct conditional_text){NULL, 0};
    }
    return (struct conditional_text){start, len};
}

static void check(const struct conditional *conditional, const char *etag)
{
    struct conditional_state now = {{etag, strlen(etag)}, true, 784111777};
    const struct conditional_text *list = &conditional->if_none_match;
    enum conditional_verdict reading = conditional_judge(conditional, &now, true);
    bool is_fresh = conditional_is_fresh(conditional, &now);
    (void)conditional_judge(conditional, &now, false);
    (void)conditional_allows_range(conditional, &now);
    if (list->bytes != NULL && etag_is_listed(list->bytes, list->len, etag, strlen(etag), true) &&
        !etag_is_listed(list->bytes, list->len, etag, strlen(etag), false)) {
        abort();
    }
    if (reading == CONDITIONAL_NOT_MODIFIED && !is_fresh) {
        abort();
    }
    if (reading == CONDITIONAL_FAILED && conditional->if_match.bytes == NULL &&
        conditional->if_unmodified_since.bytes == NULL) {
        abort();
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data;
    const char *end = at + size;
    struct conditional conditional;
    conditional.if_match = take_line(&at, end);
    conditional.if_unmodified_since = take_line(&at, end);
    conditional.if_none_match = take_line(&at, end);
    conditional.if_modified_since = take_line(&at, end);
    conditional.if_range = take_line(&at, end);
    conditional.cache_control = take_line(&at, end);
    check(&conditional, "\"a\"");
    check(&conditional, "W/\"a\"");
    if (conditional.if_match.bytes != NULL) {
        (void)etag_is_valid(conditional.if_match.bytes, conditional.if_match.len);
        (void)etag_is_any(conditional.if_match.bytes, conditional.if_match.len);
        (void)etag_hash(conditional.if_match.bytes, conditional.if_match.len);
    }
    return 0;
}
