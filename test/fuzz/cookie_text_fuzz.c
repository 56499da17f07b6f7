/* sources: worker/http/text/cookie_text.c worker/http/text/parameters.c worker/http/text/header_text.c worker/http/text/mime.c worker/http/text/query.c worker/http/text/head_bytes.c | */
/* Pairs lie inside the header, a decoded value is no longer than its source, what is encoded can be sent and is decoded to the same
 * again where it is ASCII, and a Set-Cookie without fault has no byte that could end it. */
#include "worker/http/text/cookie_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/text/header_text.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_set(struct parameter_text text, struct parameter_text encoded)
{
    struct parameter_text name = {.bytes = "a", .len = 1};
    struct cookie_text_set sets[] = {
        {.name = text, .value = encoded}, {.name = name, .value = text},
        {.name = name, .domain = text},   {.name = name, .path = text},
        {.name = name, .expires = text},
    };
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        char out[COOKIE_TEXT_MAX];
        size_t len =
            cookie_text_find_fault(&sets[i]) == NULL ? cookie_text_format(&sets[i], out) : 0;
        size_t semicolons = 0;
        for (size_t at = 0; at < len; at++) {
            semicolons += out[at] == ';';
        }
        if (semicolons > 1 || !header_text_is_value(out, len)) {
            abort();
        }
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char *out = malloc(3 * size + 1);
    char *back = malloc(3 * size + 1);
    struct cookie_text cookies;
    struct parameter_text name;
    struct parameter_text value;
    cookie_text_init(&cookies, text, size);
    while (cookie_text_next(&cookies, &name, &value)) {
        if (name.bytes < text || value.bytes + value.len > text + size ||
            cookie_text_decode(value.bytes, value.len, out) > value.len) {
            abort();
        }
    }
    size_t len = cookie_text_encode(text, size, out);
    struct parameter_text encoded = {.bytes = out, .len = len};
    size_t back_len = cookie_text_decode(out, len, back);
    if (len > 3 * size || back_len > len || (back_len == size && memcmp(back, text, size) != 0)) {
        abort();
    }
    check_set((struct parameter_text){.bytes = text, .len = size}, encoded);
    free(out);
    free(back);
    return 0;
}
