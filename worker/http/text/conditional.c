/* conditional.c - whether a request wants an answer only if something has changed, or has not.
 *
 * Owns nothing.  Tags are compared weakly where a copy is to be used again (If-None-Match), strongly where bytes are to be put together
 * or overwritten (If-Range, If-Match), which no weak tag passes.  A date that can't be read is no condition.
 * Called for each answer that has an ETag or a Last-Modified, and by req.fresh.  Pure.
 * Must not know where the headers stand or what is answered. */
#include "worker/http/text/conditional.h"

#include <string.h>

#include "worker/http/text/etag.h"
#include "worker/http/text/http_date.h"

static bool is_given(const struct conditional_text *text)
{
    return text->bytes != NULL;
}

static bool is_listed(const struct conditional_text *list, const struct conditional_state *now,
                      bool is_strong)
{
    return is_given(&now->etag) &&
           etag_is_listed(list->bytes, list->len, now->etag.bytes, now->etag.len, is_strong);
}

static bool read_date(const struct conditional_text *text, int64_t *ret_seconds)
{
    return is_given(text) && http_date_parse(text->bytes, text->len, ret_seconds) == 0;
}

/* Whether a list of words separated by commas has this one. */
static bool has_word(const struct conditional_text *text, const char *word)
{
    size_t word_len = strlen(word);
    const char *at = text->bytes;
    const char *end = is_given(text) ? at + text->len : at;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        const char *next = comma != NULL ? comma + 1 : end;
        while (at < stop && (*at == ' ' || *at == '\t')) {
            at++;
        }
        while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t')) {
            stop--;
        }
        if ((size_t)(stop - at) == word_len && memcmp(at, word, word_len) == 0) {
            return true;
        }
        at = next;
    }
    return false;
}

static bool names_state(const struct conditional *conditional, const struct conditional_state *now)
{
    return etag_is_any(conditional->if_none_match.bytes, conditional->if_none_match.len) ||
           is_listed(&conditional->if_none_match, now, false);
}

bool conditional_is_fresh(const struct conditional *conditional,
                          const struct conditional_state *now)
{
    int64_t since;
    if (has_word(&conditional->cache_control, "no-cache")) {
        return false;
    }
    if (is_given(&conditional->if_none_match)) {
        return names_state(conditional, now);
    }
    return now->has_modified && read_date(&conditional->if_modified_since, &since) &&
           now->modified_s <= since;
}

static bool is_failed(const struct conditional *conditional, const struct conditional_state *now)
{
    int64_t since;
    if (is_given(&conditional->if_match)) {
        return !etag_is_any(conditional->if_match.bytes, conditional->if_match.len) &&
               !is_listed(&conditional->if_match, now, true);
    }
    return now->has_modified && read_date(&conditional->if_unmodified_since, &since) &&
           now->modified_s > since;
}

enum conditional_verdict conditional_judge(const struct conditional *conditional,
                                           const struct conditional_state *now, bool reads)
{
    if (is_failed(conditional, now)) {
        return CONDITIONAL_FAILED;
    }
    if (reads) {
        return conditional_is_fresh(conditional, now) ? CONDITIONAL_NOT_MODIFIED
                                                      : CONDITIONAL_GO_ON;
    }
    return is_given(&conditional->if_none_match) && names_state(conditional, now)
               ? CONDITIONAL_FAILED
               : CONDITIONAL_GO_ON;
}

bool conditional_allows_range(const struct conditional *conditional,
                              const struct conditional_state *now)
{
    const struct conditional_text *text = &conditional->if_range;
    int64_t date;
    if (!is_given(text)) {
        return true;
    }
    if (etag_is_valid(text->bytes, text->len)) {
        return is_listed(text, now, true);
    }
    return now->has_modified && read_date(text, &date) && now->modified_s == date;
}
