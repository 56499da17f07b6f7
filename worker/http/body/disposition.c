/* disposition.c - the field name and file name that a part of a form says it has.
 * Owns nothing; pure.  What is ambiguous is refused, and not guessed: two names, control characters, a charset that nobody sends.
 * Called by body_parts.c; the text is hostile.  Must not know what becomes of a file; a file name is only ever
 * shown, never a path. */
#include "worker/http/body/disposition.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "worker/http/text/header_text.h"
#include "worker/http/text/query.h"

static bool is(struct body_text text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.bytes, word, text.len) == 0;
}

/* Behind the last slash or backslash. */
static struct body_text last_component(struct body_text path)
{
    size_t from = path.len;
    while (from > 0 && path.bytes[from - 1] != '/' && path.bytes[from - 1] != '\\') {
        from--;
    }
    struct body_text name = {path.bytes + from, path.len - from};
    if (is(name, ".") || is(name, "..")) {
        name.len = 0;
    }
    return name;
}

static size_t widen_latin1(const char *latin1, size_t len, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)latin1[i];
        if (byte >= 0x80) {
            out[used++] = (char)(0xc0 | byte >> 6);
            byte = 0x80 | (byte & 0x3f);
        }
        out[used++] = (char)byte;
    }
    return used;
}

/* UTF-8'language'percent-encoded, decoded in its place, or into wide for the other charset. */
static int decode_extended(struct body_text *text, char *bytes, char *wide)
{
    char *first = memchr(bytes, '\'', text->len);
    if (first == NULL) {
        return -EBADMSG;
    }
    struct body_text charset = {bytes, (size_t)(first - bytes)};
    char *second = memchr(first + 1, '\'', text->len - charset.len - 1);
    bool is_latin1 = is(charset, "iso-8859-1");
    if (second == NULL || (!is_latin1 && !is(charset, "utf-8"))) {
        return -EBADMSG;
    }
    size_t len = text->len - (size_t)(second + 1 - bytes);
    if (query_percent_decode(second + 1, len, bytes, &len) < 0) { /* it only gets shorter */
        return -EBADMSG;
    }
    *text = is_latin1 ? (struct body_text){wide, widen_latin1(bytes, len, wide)}
                      : (struct body_text){bytes, len};
    return 0;
}

/* What a parameter sets; a second one of that name is refused. */
static struct body_text *find_place(struct disposition *disposition, struct body_text *extended,
                                    struct body_text name)
{
    if (is(name, "name")) {
        return &disposition->name;
    }
    if (is(name, "filename")) {
        return &disposition->filename;
    }
    return is(name, "filename*") ? extended : NULL;
}

static bool is_usable(struct body_text text)
{
    return text.bytes == NULL || header_text_is_value(text.bytes, text.len);
}

int disposition_parse(const char *text, size_t len, char *buf, struct disposition *ret_disposition)
{
    const char *semicolon = len > 0 ? memchr(text, ';', len) : NULL;
    struct body_text kind = {text, semicolon != NULL ? (size_t)(semicolon - text) : len};
    while (kind.len > 0 && (text[kind.len - 1] == ' ' || text[kind.len - 1] == '\t')) {
        kind.len--;
    }
    struct disposition disposition = {.is_form_data = is(kind, "form-data")};
    struct body_text extended = {NULL, 0};
    char *wide = buf + len;
    struct body_parameters parameters;
    struct body_text name;
    struct body_text value;
    int r = 0;
    body_parameters_init(&parameters, text, len);
    while ((r = body_parameters_next(&parameters, buf, &name, &value)) == 1) {
        struct body_text *place = find_place(&disposition, &extended, name);
        if (place == NULL) {
            continue;
        }
        if (place->bytes != NULL ||
            (place == &extended && decode_extended(&value, buf, wide) < 0)) {
            return -EBADMSG;
        }
        *place = value;
        buf += value.len;
    }
    if (extended.bytes != NULL) {
        disposition.filename = extended;
    }
    if (r < 0 || !is_usable(disposition.name) || !is_usable(disposition.filename)) {
        return -EBADMSG;
    }
    if (disposition.filename.bytes != NULL) {
        disposition.filename = last_component(disposition.filename);
    }
    *ret_disposition = disposition;
    return 0;
}
