/* sources: worker/toolbox/url.c | */
/* What is read as a URL has no part outside of it; what two of them make together is one again, and stays as it is when it is resolved
 * once more; what is escaped comes back. */
#include "worker/toolbox/url.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_right)
{
    if (!is_right) {
        abort();
    }
}

static char *room_for(size_t len)
{
    char *text = malloc(len + 1);
    check(text != NULL);
    return text;
}

static void resolve(const char *text, size_t len, const char *reference_text, size_t reference_len)
{
    struct url base;
    struct url reference;
    struct url whole;
    size_t bad = 0;
    if (!url_parse(text, len, &base, &bad) ||
        !url_parse(reference_text, reference_len, &reference, &bad)) {
        check(bad <= len || bad <= reference_len);
        return;
    }
    char *out = room_for(len + reference_len + 8);
    size_t out_len = url_resolve(&base, &reference, out);
    check(out_len <= len + reference_len + 8);
    check(url_parse(out, out_len, &whole, &bad));
    check((whole.host.bytes != NULL) ==
          (reference.host.bytes != NULL ||
           (reference.scheme.bytes == NULL && base.host.bytes != NULL)));
    char *again = room_for(2 * out_len + 8);
    if (whole.scheme.bytes != NULL && whole.host.bytes != NULL && reference.path.len > 0) {
        size_t again_len = url_resolve(&base, &whole, again);
        check(again_len == out_len && memcmp(again, out, out_len) == 0);
    }
    free(again);
    free(out);
}

static void escape(const char *text, size_t len)
{
    char *out = room_for(3 * len);
    char *back = room_for(3 * len);
    size_t back_len = 0;
    for (int set = URL_COMPONENT; set <= URL_FORM; set++) {
        size_t out_len = url_encode(text, len, (enum url_set)set, out);
        check(out_len <= 3 * len);
        if (set != URL_WHOLE) {
            check(url_decode(out, out_len, (enum url_set)set, back, &back_len));
            check(back_len == len && memcmp(back, text, len) == 0);
        }
    }
    (void)url_decode(text, len, URL_FORM, back, &back_len);
    check(back_len <= len);
    free(back);
    free(out);
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *line = memchr(text, '\n', size);
    size_t len = line != NULL ? (size_t)(line - text) : size;
    size_t from = line != NULL ? len + 1 : size;
    resolve(text, len, text + from, size - from);
    escape(text, size);
    return 0;
}
