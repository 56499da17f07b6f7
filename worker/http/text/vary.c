/* vary.c - the header Vary: a list of names in which each stands once.
 * Owns nothing.  Pure.  Called by response_fields.c for res:vary, and for what fsd itself chooses by a header of the request.
 * Must not know which headers there are. */
#include "worker/http/text/vary.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "worker/http/text/header_text.h"

struct name {
    const char *text;
    size_t len;
};

/* The next name of a list, without the blanks around it; false at the end. */
static bool next_name(const char **at, const char *end, struct name *ret_name)
{
    if (*at > end) {
        return false;
    }
    const char *comma = memchr(*at, ',', (size_t)(end - *at));
    const char *stop = comma != NULL ? comma : end;
    const char *start = *at;
    *at = stop + 1;
    while (start < stop && *start == ' ') {
        start++;
    }
    while (stop > start && stop[-1] == ' ') {
        stop--;
    }
    *ret_name = (struct name){start, (size_t)(stop - start)};
    return true;
}

static bool has_name(const char *list, size_t len, struct name wanted)
{
    const char *at = list;
    struct name name;
    while (next_name(&at, list + len, &name)) {
        if (name.len == wanted.len && strncasecmp(name.text, wanted.text, name.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool are_names(const char *fields, size_t len)
{
    const char *at = fields;
    struct name name;
    while (next_name(&at, fields + len, &name)) {
        if (!header_text_is_name(name.text, name.len)) {
            return false;
        }
    }
    return true;
}

int vary_add(const char *header, size_t header_len, const char *fields, size_t fields_len,
             char *out, size_t *ret_len)
{
    const struct name all = {"*", 1};
    if (!are_names(fields, fields_len)) {
        return -EINVAL;
    }
    if (has_name(header, header_len, all) || has_name(fields, fields_len, all)) {
        *out = '*';
        *ret_len = 1;
        return 0;
    }
    memcpy(out, header, header_len);
    size_t len = header_len;
    const char *at = fields;
    struct name name;
    while (next_name(&at, fields + fields_len, &name)) {
        if (has_name(out, len, name)) {
            continue;
        }
        if (len > 0) {
            out[len++] = ',';
            out[len++] = ' ';
        }
        memcpy(out + len, name.text, name.len);
        len += name.len;
    }
    *ret_len = len;
    return 0;
}
