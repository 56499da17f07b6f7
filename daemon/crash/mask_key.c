/* mask_key.c - finds the values that are secret because of what stands before them.
 * Owns the words by which a key tells that its value is one.  Log lines, JSON, HTTP heads, queries and Lua tables are
 * looked at alike: a word, perhaps quoted, then = or :, then a value, perhaps quoted.  In doubt too much is hidden, except
 * where that would hide the places that crash reports are read for ("session.lua:12:").
 * Called by mask.c at each word of a text.  Pure. */
#include "daemon/crash/mask_key.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { KEY_MAX = 64 }; /* of a longer key, the end counts */

/* Compared without '-' and '_', anywhere in the key. */
static const struct {
    const char *word;
    bool takes_line; /* what follows is a header's value, with blanks in it */
} words[] = {
    {"authorization", true}, {"cookie", true},     {"password", false}, {"passwd", false},
    {"passphrase", false},   {"pwd", false},       {"secret", false},   {"token", false},
    {"apikey", false},       {"accesskey", false}, {"session", false},  {"signature", false},
    {"credential", false},   {"private", false},
};

static const struct mask_range nothing = {0, 0};

bool mask_key_is_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '-' || byte == '.';
}

static size_t skip_word(const char *text, size_t len, size_t at)
{
    while (at < len && mask_key_is_word(text[at])) {
        at++;
    }
    return at;
}

static size_t skip_blanks(const char *text, size_t len, size_t at)
{
    while (at < len && (text[at] == ' ' || text[at] == '\t')) {
        at++;
    }
    return at;
}

static bool is_one_of(char byte, const char *set)
{
    return byte != '\0' && strchr(set, byte) != NULL;
}

static bool is_quote(char byte)
{
    return byte == '"' || byte == '\'';
}

/* The index of the key's word, or -1.  Before a colon the last part of the key counts, since that may be the place in a file:
 * "session.lua:12". */
static int find_word(const char *key, size_t len, char separator)
{
    char plain[KEY_MAX + 1];
    size_t used = 0;
    for (size_t i = len > KEY_MAX ? len - KEY_MAX : 0; i < len; i++) {
        if (key[i] == '.' && separator == ':') {
            used = 0;
        } else if (key[i] != '-' && key[i] != '_') {
            plain[used++] = (char)tolower((unsigned char)key[i]);
        }
    }
    plain[used] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(plain, words[i].word) != NULL) {
            return (int)i;
        }
    }
    return -1;
}

/* Past the closing quote and bracket of a key and the = or : behind it; 0 when there is none. */
static size_t skip_separator(const char *text, size_t len, size_t at, char *ret_separator)
{
    bool is_quoted = false;
    bool is_index = false;
    if (at + 1 < len && text[at] == '\\' && is_quote(text[at + 1])) {
        at++; /* JSON in a JSON string */
    }
    if (at < len && is_quote(text[at])) {
        is_quoted = true;
        at++;
    }
    if (is_quoted && at < len && text[at] == ']') { /* Lua: ["key"] = value */
        is_index = true;
        at++;
    }
    at = skip_blanks(text, len, at);
    if (at >= len || (text[at] != '=' && (text[at] != ':' || is_index)) ||
        (at + 1 < len && text[at + 1] == text[at])) { /* "==" and "::" are no assignments */
        return 0;
    }
    *ret_separator = text[at];
    return skip_blanks(text, len, at + 1);
}

/* The value's end: its own closing quote, with the backslash if it was opened with one. */
static size_t find_quote_end(const char *text, size_t len, size_t at, bool is_escaped)
{
    char quote = text[at - 1];
    for (; at < len; at++) {
        bool has_backslash = text[at] == '\\' && at + 1 < len;
        if (is_escaped && has_backslash && text[at + 1] == quote) {
            return at;
        }
        if (!is_escaped && text[at] == quote) {
            return at;
        }
        at += has_backslash ? 1 : 0;
    }
    return len;
}

/* Does the next field begin here: "key="? */
static bool is_next_field(const char *text, size_t len, size_t at)
{
    size_t end = skip_word(text, len, at);
    return end > at && end < len && text[end] == '=';
}

/* A value without quotes.  Values of log fields have blanks in them ("password=a b next=c"); behind a colon one word is taken, the
 * rest is a sentence. */
static size_t find_plain_end(const char *text, size_t len, size_t at, char separator)
{
    while (at < len && !is_one_of(text[at], "\n\r&")) {
        size_t next = skip_blanks(text, len, at);
        if (next > at && (separator == ':' || is_next_field(text, len, next))) {
            break;
        }
        if (is_quote(text[at]) && (at + 1 == len || !mask_key_is_word(text[at + 1]))) {
            break; /* the text around it ends here */
        }
        at = next > at ? next : at + 1;
    }
    return at;
}

static size_t find_line_end(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] != '\n' && text[at] != '\r') {
        at++;
    }
    return at;
}

/* "Bearer x", "Basic dXNlcjpwYXNz"; but not "basic authentication". */
static struct mask_range find_token(const char *text, size_t len, size_t at, size_t end)
{
    bool is_bearer = end - at == 6 && strncasecmp(text + at, "bearer", 6) == 0;
    bool is_basic = end - at == 5 && strncasecmp(text + at, "basic", 5) == 0;
    size_t from = skip_blanks(text, len, end);
    if ((!is_bearer && !is_basic) || from == end) {
        return nothing;
    }
    size_t to = from;
    bool is_code = is_bearer;
    while (to < len && (mask_key_is_word(text[to]) || is_one_of(text[to], "+/=~"))) {
        is_code = is_code || (to > from && !islower((unsigned char)text[to]));
        to++;
    }
    return is_code ? (struct mask_range){from, to} : nothing;
}

/* The value of a key that is one of the words, from its first byte on. */
static struct mask_range find_value(const char *text, size_t len, size_t from, int word,
                                    char separator)
{
    bool is_escaped = text[from] == '\\' && from + 1 < len && is_quote(text[from + 1]);
    if (is_escaped || is_quote(text[from])) {
        from += is_escaped ? 2 : 1;
        return (struct mask_range){from, find_quote_end(text, len, from, is_escaped)};
    }
    bool takes_line = words[word].takes_line || text[from] == '[' || text[from] == '{';
    return (struct mask_range){from, takes_line ? find_line_end(text, len, from)
                                                : find_plain_end(text, len, from, separator)};
}

struct mask_range mask_key_find(const char *text, size_t len, size_t at)
{
    size_t end = skip_word(text, len, at);
    char separator = '\0';
    size_t from = skip_separator(text, len, end, &separator);
    if (from == 0) {
        return find_token(text, len, at, end);
    }
    int word = from < len ? find_word(text + at, end - at, separator) : -1;
    return word < 0 ? nothing : find_value(text, len, from, word, separator);
}

/* The end of what may stand between "://" and the path. */
static size_t find_url_host_end(const char *text, size_t len, size_t at)
{
    while (at < len && !isspace((unsigned char)text[at]) && !is_one_of(text[at], "/?#\"'")) {
        at++;
    }
    return at;
}

struct mask_range mask_key_find_url(const char *text, size_t len, size_t at)
{
    if (len - at < 3 || memcmp(text + at, "://", 3) != 0) {
        return nothing;
    }
    size_t from = at + 3; /* a name without a password is a token */
    size_t end = find_url_host_end(text, len, from);
    const char *host =
        memrchr(text + from, '@', end - from); /* the last: a password may have one */
    if (host == NULL) {
        return nothing;
    }
    size_t to = (size_t)(host - text);
    const char *colon = memchr(text + from, ':', to - from);
    return (struct mask_range){colon == NULL ? from : (size_t)(colon - text) + 1, to};
}
