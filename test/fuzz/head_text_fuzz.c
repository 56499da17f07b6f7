/* sources: worker/http/text/header_text.c worker/http/text/mime.c worker/http/text/vary.c worker/http/text/url_text.c worker/http/text/disposition.c worker/http/text/type_text.c worker/http/text/compressible.c worker/http/text/accept.c worker/http/text/parameters.c worker/http/text/head_bytes.c | */
/* Whatever an application passes on, what is written for a head fits in its room and can stand there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/text/compressible.h"
#include "worker/http/text/disposition.h"
#include "worker/http/text/header_text.h"
#include "worker/http/text/type_text.h"
#include "worker/http/text/url_text.h"
#include "worker/http/text/vary.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Frees it. */
static void check(char *out, size_t len, size_t room)
{
    if (len > room || !header_text_is_value(out, len)) {
        abort();
    }
    free(out);
}

static void check_vary(const char *text, size_t size)
{
    size_t header_len = size / 2;
    size_t room = VARY_MAX(header_len, size - header_len);
    char *out = malloc(room);
    size_t len = 0;
    if (header_text_is_value(text, header_len) &&
        vary_add(text, header_len, text + header_len, size - header_len, out, &len) == 0) {
        check(out, len, room);
    } else {
        free(out);
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char *url = malloc(URL_TEXT_MAX(size) + 1);
    check(url, url_text_escape(text, size, url), URL_TEXT_MAX(size));
    char *disposition = malloc(DISPOSITION_MAX(size));
    check(disposition, disposition_format(text, size, disposition), DISPOSITION_MAX(size));
    check_vary(text, size);
    (void)type_text_wants_charset(text, size);
    (void)compressible_is_type(text, size);
    (void)compressible_is_forbidden(text, size);
    (void)compressible_is_accepted(text, size);
    if (header_text_fault("x", 1, text, size) == NULL && !header_text_is_value(text, size)) {
        abort();
    }
    return 0;
}
