/* json_form.c - JSON that was encoded, in another form: easy to read, or harmless where it stands.
 * Owns nothing.  Both go through the text once and write it anew; most documents have nothing to be escaped, and stay.
 * Pure.  Called by response_send.c for the settings json_spaces and json_escape, and for res:jsonp.  Must not know Lua. */
#include "worker/http/text/json_form.h"

#include <stdbool.h>
#include <string.h>

#include "worker/core/json/json_write.h"

struct place {
    const char *at;
    const char *end;
};

/* The next place that has to be escaped, and what stands there instead. */
static const char *find_html(struct place *place, const char **ret_escape, size_t *ret_len)
{
    for (; place->at < place->end; place->at++) {
        char c = *place->at;
        if (c == '<' || c == '>' || c == '&') {
            *ret_escape = c == '<' ? "\\u003c" : c == '>' ? "\\u003e" : "\\u0026";
            *ret_len = 1;
            return place->at;
        }
    }
    return NULL;
}

static const char *find_separator(struct place *place, const char **ret_escape, size_t *ret_len)
{
    const char *found;
    while ((found = memchr(place->at, 0xe2, (size_t)(place->end - place->at))) != NULL) {
        place->at = found;
        if (place->end - found > 2 && found[1] == '\x80' &&
            (found[2] == '\xa8' || found[2] == '\xa9')) {
            *ret_escape = found[2] == '\xa8' ? "\\u2028" : "\\u2029";
            *ret_len = 3;
            return found;
        }
        place->at++;
    }
    return NULL;
}

static const char *find(struct place *place, enum json_form_escapes escapes,
                        const char **ret_escape, size_t *ret_len)
{
    return escapes == JSON_FORM_HTML ? find_html(place, ret_escape, ret_len)
                                     : find_separator(place, ret_escape, ret_len);
}

void json_form_escape(struct json_buf *buf, enum json_form_escapes escapes)
{
    struct place place = {buf->data, buf->data + buf->len};
    const char *escape;
    size_t len;
    const char *found = find(&place, escapes, &escape, &len);
    if (found == NULL) {
        return;
    }
    struct json_buf out;
    json_buf_init(&out);
    const char *from = buf->data;
    while (found != NULL) {
        json_write_bytes(&out, from, (size_t)(found - from));
        json_write_bytes(&out, escape, 6);
        from = place.at = found + len;
        found = find(&place, escapes, &escape, &len);
    }
    json_write_bytes(&out, from, (size_t)(place.end - from));
    json_buf_fini(buf);
    *buf = out;
}

/* The end of the string that begins at text. */
static const char *skip_string(const char *text, const char *end)
{
    const char *at = text + 1;
    while (at < end && *at != '"') {
        at += *at == '\\' ? 2 : 1;
    }
    return at < end ? at + 1 : end;
}

static void write_line(struct json_buf *out, const char *indent, size_t depth)
{
    size_t len = strlen(indent);
    json_write_char(out, '\n');
    for (size_t i = 0; i < depth; i++) {
        json_write_bytes(out, indent, len);
    }
}

/* What stands between strings, numbers and words. */
static void write_mark(struct json_buf *out, const char *at, const char *indent, size_t *depth)
{
    bool is_empty = (*at == '{' && at[1] == '}') || (*at == '[' && at[1] == ']');
    bool was_empty = (*at == '}' && at[-1] == '{') || (*at == ']' && at[-1] == '[');
    bool closes = *at == '}' || *at == ']';
    if (closes) {
        (*depth)--;
    }
    if (closes && !was_empty) {
        write_line(out, indent, *depth);
    }
    json_write_char(out, *at);
    if (*at == '{' || *at == '[') {
        (*depth)++;
    }
    if (*at == ':') {
        json_write_char(out, ' ');
    } else if (!closes && !is_empty) {
        write_line(out, indent, *depth);
    }
}

void json_form_indent(struct json_buf *buf, const char *indent)
{
    struct json_buf out;
    json_buf_init(&out);
    const char *end = buf->data + buf->len;
    size_t depth = 0;
    for (const char *at = buf->data; at < end;) {
        if (strchr("{}[],:", *at) != NULL) {
            write_mark(&out, at, indent, &depth);
            at++;
            continue;
        }
        const char *stop = *at == '"' ? skip_string(at, end) : at + 1;
        json_write_bytes(&out, at, (size_t)(stop - at));
        at = stop;
    }
    json_buf_fini(buf);
    *buf = out;
}
