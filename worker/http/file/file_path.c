/* file_path.c - which file a URL means.
 *
 * Owns nothing.  The path is read once, from left to right: an escape becomes its byte, then the byte is judged in its part.  What a
 * proper client never sends is refused and not repaired, because the router has matched the path as it was sent: who guards a part of
 * the tree with a handler must not be gone around by another spelling of it.
 * Called for each request that a folder is asked for (folder.c), and for names that handlers give (send_file.c); hostile text.  Pure.
 * Must not know what exists. */
#include "worker/http/file/file_path.h"

#include <string.h>

#include "worker/core/hex_digit.h"

enum { HASH_MIN = 8, HASH_MAX = 64 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* RFC 3986 §2.3 */
static bool is_unreserved(char c)
{
    return is_digit(c) || is_lower(c) || is_upper(c) || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

/* Reads the byte that the escape at at stands for (at is the %). */
static enum file_path_fault read_escape(const char *at, const char *end, char *ret_byte)
{
    int high = end - at < 3 ? -1 : hex_digit_value(at[1]);
    int low = end - at < 3 ? -1 : hex_digit_value(at[2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) {
        return FILE_PATH_MALFORMED;
    }
    *ret_byte = (char)(high << 4 | low);
    return *ret_byte == '/' || is_unreserved(*ret_byte) ? FILE_PATH_FORBIDDEN : FILE_PATH_FINE;
}

/* The part of the name that begins at start is complete. */
static enum file_path_fault judge_part(struct file_path *path, size_t start)
{
    const char *part = path->name + start;
    size_t len = path->len - start;
    if (len == 0 || part[0] == '.') {
        if (len <= 1 || (len == 2 && part[1] == '.')) {
            return FILE_PATH_FORBIDDEN;
        }
        path->has_dotfile = true;
    }
    return FILE_PATH_FINE;
}

static enum file_path_fault read_path(const char *at, const char *end, bool decodes,
                                      struct file_path *path)
{
    size_t start = 0;
    enum file_path_fault fault = FILE_PATH_FINE;
    while (at < end) {
        char byte = *at;
        if (byte == '%' && decodes) {
            fault = read_escape(at, end, &byte);
            at += 2;
        } else if (byte == '/') {
            fault = judge_part(path, start);
            start = path->len + 1;
        } else if (byte == '\0') {
            fault = FILE_PATH_MALFORMED;
        }
        if (fault != FILE_PATH_FINE) {
            return fault;
        }
        if (byte == '\\') {
            return FILE_PATH_FORBIDDEN;
        }
        if (path->len + 1 == sizeof(path->name)) {
            return FILE_PATH_TOO_LONG;
        }
        path->name[path->len++] = byte;
        at++;
    }
    if (start < path->len) {
        return judge_part(path, start);
    }
    path->is_folder = true;
    path->len -= path->len > 0 ? 1 : 0; /* the slash at its end */
    return FILE_PATH_FINE;
}

static enum file_path_fault fill(const char *at, const char *end, bool decodes,
                                 struct file_path *path)
{
    path->len = 0;
    path->is_folder = false;
    path->has_dotfile = false;
    enum file_path_fault fault = read_path(at, end, decodes, path);
    path->name[path->len] = '\0';
    return fault;
}

enum file_path_fault file_path_decode(const char *text, size_t len, struct file_path *path)
{
    const char *end = text + len;
    return fill(len > 0 && text[0] == '/' ? text + 1 : text, end, true, path);
}

enum file_path_fault file_path_take(const char *text, size_t len, struct file_path *path)
{
    return fill(text, text + len, false, path);
}

bool file_path_is_listed(const struct file_path *path, const char *pattern)
{
    size_t len = strlen(pattern);
    if (len == 0 || pattern[0] != '/') {
        return false;
    }
    pattern++;
    len--;
    if (len > 0 && pattern[len - 1] == '*') {
        len--;
        return path->len >= len && memcmp(path->name, pattern, len) == 0;
    }
    return path->len == len && memcmp(path->name, pattern, len) == 0;
}

const char *file_path_find_ending(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *last = slash != NULL ? slash + 1 : name;
    const char *dot = strrchr(last, '.');
    return dot != NULL && dot != last && dot[1] != '\0' ? dot + 1 : NULL;
}

/* A word of hexadecimal digits, or of digits and capitals with or without small letters - in which a digit stands before a letter,
 * so that it is neither a date nor "Version1". */
static bool is_hash(const char *word, size_t len)
{
    bool has_digit = false;
    bool has_upper = false;
    bool is_mixed = false;
    bool is_hex = true;
    for (size_t i = 0; i < len; i++) {
        char c = word[i];
        if (!is_digit(c) && !is_lower(c) && !is_upper(c)) {
            return false;
        }
        is_mixed |= has_digit && !is_digit(c);
        has_digit |= is_digit(c);
        has_upper |= is_upper(c);
        is_hex &= hex_digit_is(c);
    }
    return len >= HASH_MIN && len <= HASH_MAX && is_mixed && (is_hex || has_upper);
}

bool file_path_has_hash(const char *name)
{
    const char *ending = file_path_find_ending(name);
    if (ending == NULL) {
        return false;
    }
    const char *end = ending - 1; /* the dot */
    const char *start = end;
    while (start > name && strchr("./-_", start[-1]) == NULL) {
        start--;
    }
    return start > name && start[-1] != '/' && is_hash(start, (size_t)(end - start));
}
