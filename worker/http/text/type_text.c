/* type_text.c - content types as they stand in a head.
 * Owns nothing.  Pure.  Called by response_headers.c: as in Express, what is set as a Content-Type gets a charset when it is text.
 * Must not know which types files have (mime.c). */
#include "worker/http/text/type_text.h"

#include <string.h>
#include <strings.h>

size_t type_text_essence_len(const char *type, size_t len)
{
    const char *semicolon = memchr(type, ';', len);
    size_t essence = semicolon != NULL ? (size_t)(semicolon - type) : len;
    while (essence > 0 && (type[essence - 1] == ' ' || type[essence - 1] == '\t')) {
        essence--;
    }
    return essence;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static bool has_charset(const char *type, size_t len)
{
    static const char word[] = "charset";
    for (size_t i = 0; i + sizeof(word) - 1 < len; i++) {
        if (strncasecmp(type + i, word, sizeof(word) - 1) == 0) {
            return true;
        }
    }
    return false;
}

bool type_text_wants_charset(const char *type, size_t len)
{
    size_t essence = type_text_essence_len(type, len);
    bool is_text = (essence > 5 && strncasecmp(type, "text/", 5) == 0) ||
                   is_word(type, essence, "application/json") ||
                   is_word(type, essence, "application/javascript") ||
                   is_word(type, essence, "application/manifest+json");
    return is_text && !has_charset(type + essence, len - essence);
}
