/* excerpt.c - shows the lines of a source around the place that an error message names.
 * Owns nothing.  The place is the first "FILE.lua:LINE:" of the message; what the message and the source say is somebody else's text,
 * so it is cut, and made harmless for a terminal.
 * Called by develop.c.  Pure: reads no file. */
#include "daemon/develop/excerpt.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log/text.h"

enum { LINE_SHOWN_MAX = 160, LINE_NUMBER_MAX = 9999999 };

static bool ends_name(char character)
{
    return isspace((unsigned char)character) || strchr("\"'(<[", character) != NULL;
}

/* What stands before dot ("x.lua" ends there), as far as it can be a file's name. */
static bool take_name(const char *message, const char *end, char name[EXCERPT_NAME_MAX])
{
    const char *begin = end;
    while (begin > message && !ends_name(begin[-1])) {
        begin--;
    }
    size_t len = (size_t)(end - begin);
    if (len >= EXCERPT_NAME_MAX || len <= strlen(".lua")) {
        return false;
    }
    memcpy(name, begin, len);
    name[len] = '\0';
    return true;
}

bool excerpt_find_place(const char *message, struct excerpt_place *ret)
{
    struct excerpt_place place;
    for (const char *at = strstr(message, ".lua:"); at != NULL; at = strstr(at + 1, ".lua:")) {
        const char *end = at + strlen(".lua");
        const char *digit = end + 1;
        unsigned line = 0;
        while (isdigit((unsigned char)*digit) && line < LINE_NUMBER_MAX) {
            line = line * 10 + (unsigned)(*digit - '0');
            digit++;
        }
        if (line > 0 && *digit == ':' && take_name(message, end, place.name)) {
            place.line = line;
            *ret = place;
            return true;
        }
    }
    return false;
}

static size_t append_line(char *text, size_t size, const char *line, size_t len, unsigned number,
                          bool is_it)
{
    char clean[LINE_SHOWN_MAX];
    char spaced[LINE_SHOWN_MAX];
    len = len < sizeof(spaced) - 1 ? len : sizeof(spaced) - 1;
    memcpy(spaced, line, len);
    spaced[len] = '\0';
    for (char *tab = strchr(spaced, '\t'); tab != NULL; tab = strchr(tab, '\t')) {
        *tab = ' '; /* else it would be a control character */
    }
    if (len > 0 && spaced[len - 1] == '\r') {
        len--;
    }
    size_t left = text_clean(clean, sizeof(clean), spaced, len);
    int added = snprintf(text, size, "%s %5u |%s%s\n", is_it ? " >" : "  ", number,
                         left > 0 ? " " : "", clean);
    return (size_t)added < size ? (size_t)added : size - 1;
}

void excerpt_format(const char *source, size_t len, unsigned line, char text[EXCERPT_MAX])
{
    const char *end = source + len;
    size_t used = 0;
    bool has_it = false;
    text[0] = '\0';
    unsigned number = 1;
    for (const char *at = source; at < end && number <= line + 1; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        if (number + 1 >= line) {
            used += append_line(text + used, EXCERPT_MAX - used, at, (size_t)(stop - at), number,
                                number == line);
            has_it = has_it || number == line;
        }
        at = newline != NULL ? newline + 1 : end;
    }
    if (!has_it && number == line && used > 0) { /* "near <eof>" is behind the last newline */
        (void)append_line(text + used, EXCERPT_MAX - used, end, 0, number, true);
    } else if (!has_it) {
        text[0] = '\0';
    }
}
