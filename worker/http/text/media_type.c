/* media_type.c - the type that a Content-Type header names, and wildcards that stand for many.
 *
 * Owns nothing.  Rules of Node's packages media-typer and type-is: a type and a subtype of 1 to 127 bytes, blanks around them, anything
 * behind a semicolon.  Pure: no Lua, no libh2o.  Called by requests (req:is) and parsers of bodies.
 * Must not know short names ("json"): whoever asks says "application/json". */
#include "worker/http/text/media_type.h"

#include <string.h>

#include "worker/http/text/parameters.h"

enum { PART_MAX = 127 };

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* One half of a type, in lower case. */
static bool is_part(const char *text, size_t len, const char *others)
{
    if (len == 0 || len > PART_MAX || !is_alphanumeric(text[0])) {
        return false;
    }
    for (size_t i = 1; i < len; i++) {
        if (text[i] == '\0' || (!is_alphanumeric(text[i]) && strchr(others, text[i]) == NULL)) {
            return false;
        }
    }
    return true;
}

size_t media_type_parse(const char *text, size_t len, char ret_type[MEDIA_TYPE_MAX])
{
    ret_type[0] = '\0';
    const char *stop = len > 0 ? memchr(text, ';', len) : NULL;
    struct parameter_text type = parameters_trim(text, stop != NULL ? stop : text + len);
    if (type.len == 0 || type.len >= MEDIA_TYPE_MAX) {
        return 0;
    }
    char lower[MEDIA_TYPE_MAX] = "";
    for (size_t i = 0; i < type.len; i++) {
        char c = type.bytes[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    const char *slash = memchr(lower, '/', type.len);
    if (slash == NULL) {
        return 0;
    }
    size_t main_len = (size_t)(slash - lower);
    if (!is_part(lower, main_len, "!#$&^_-") ||
        !is_part(slash + 1, type.len - main_len - 1, "!#$&^_.+-")) {
        return 0;
    }
    memcpy(ret_type, lower, type.len);
    ret_type[type.len] = '\0';
    return type.len;
}

static bool is_subtype(const char *subtype, const char *expected)
{
    if (strncmp(expected, "*+", 2) != 0) {
        return strcmp(expected, "*") == 0 || strcmp(expected, subtype) == 0;
    }
    const char *suffix = expected + 1;
    size_t len = strlen(subtype);
    size_t suffix_len = strlen(suffix);
    return suffix_len <= len && strcmp(subtype + len - suffix_len, suffix) == 0;
}

bool media_type_matches(const char *type, const char *expected)
{
    const char *slash = strchr(type, '/');
    const char *expected_slash = strchr(expected, '/');
    if (slash == NULL || expected_slash == NULL || strchr(slash + 1, '/') != NULL ||
        strchr(expected_slash + 1, '/') != NULL) {
        return false;
    }
    size_t len = (size_t)(slash - type);
    size_t expected_len = (size_t)(expected_slash - expected);
    bool is_any = expected_len == 1 && expected[0] == '*';
    if (!is_any && (len != expected_len || memcmp(type, expected, len) != 0)) {
        return false;
    }
    return is_subtype(slash + 1, expected_slash + 1);
}
