/* multipart.c - finds the parts of a multipart body.
 * Owns nothing; pure.  A part ends at CR LF, two hyphens and the boundary; two hyphens more end the body, and anything but
 * blanks up to the line's end makes it no delimiter at all.  The search is linear whatever the body holds, and stops now and
 * then, so that a large body does not hold the loop.
 * Called by body_parts.c; the bytes are hostile.  Must not know which limits hold (lua/fsd/body). */
#include "worker/http/body/multipart.h"

#include <errno.h>
#include <string.h>

#include "worker/http/text/header_text.h"

static bool is_boundary_byte(char byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= '0' && byte <= '9')) {
        return true;
    }
    return byte != '\0' && strchr("'()+_,-./:=? ", byte) != NULL;
}

int multipart_init(struct multipart *multipart, const char *boundary, size_t len)
{
    if (len == 0 || len > MULTIPART_BOUNDARY_MAX || boundary[len - 1] == ' ') {
        return -EINVAL;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_boundary_byte(boundary[i])) {
            return -EINVAL;
        }
    }
    *multipart = (struct multipart){.delimiter = "\r\n--", .delimiter_len = 4 + len};
    memcpy(multipart->delimiter + 4, boundary, len);
    return 0;
}

static int refuse(struct multipart *multipart, const char *reason)
{
    multipart->reason = reason;
    return -EBADMSG;
}

/* What the bytes behind a boundary make of it. */
enum line_kind { LINE_IS_NONE, LINE_IS_DELIMITER, LINE_IS_LAST };

/* What stands behind the boundary, from at on; *ret_next is the first byte of the next line. */
static enum line_kind judge_line(struct body_text body, size_t at, size_t *ret_next)
{
    bool is_last = body.len - at >= 2 && body.bytes[at] == '-' && body.bytes[at + 1] == '-';
    if (is_last) {
        *ret_next = body.len; /* what follows is an epilogue */
        return LINE_IS_LAST;
    }
    while (at < body.len && (body.bytes[at] == ' ' || body.bytes[at] == '\t')) {
        at++;
    }
    if (at + 2 <= body.len && memcmp(body.bytes + at, "\r\n", 2) == 0) {
        *ret_next = at + 2;
        return LINE_IS_DELIMITER;
    }
    return LINE_IS_NONE;
}

/* The head begins at at; the data behind its empty line. */
static int read_head(struct multipart *multipart, struct body_text body)
{
    size_t room = body.len - multipart->at;
    size_t span = room < MULTIPART_HEAD_MAX + 4 ? room : MULTIPART_HEAD_MAX + 4;
    const char *head = body.bytes + multipart->at;
    multipart->head = multipart->at;
    if (room >= 2 && memcmp(head, "\r\n", 2) == 0) {
        multipart->head_len = 0;
        multipart->data = multipart->at + 2;
    } else {
        const char *end = memmem(head, span, "\r\n\r\n", 4);
        if (end == NULL) {
            return refuse(multipart, span < room ? "the headers of a part are too long"
                                                 : "it ends within the headers of a part");
        }
        multipart->head_len = (size_t)(end - head) + 2; /* each line with its end */
        multipart->data = multipart->head + multipart->head_len + 2;
    }
    multipart->is_in_part = true;
    /* an empty part: the delimiter's line end is that of the empty line */
    multipart->at = multipart->data - 2;
    return 0;
}

static void set_part(const struct multipart *multipart, struct body_text body, size_t end,
                     struct multipart_part *ret_part)
{
    size_t len = end > multipart->data ? end - multipart->data : 0;
    ret_part->head = (struct body_text){body.bytes + multipart->head, multipart->head_len};
    ret_part->data = (struct body_text){body.bytes + multipart->data, len};
}

/* Where a delimiter stands. */
struct place {
    size_t end;    /* of the data before it */
    size_t behind; /* its last byte */
};

/* The next delimiter; false: not within the next budget bytes, and at says where to go on.  The first one may stand at the
 * very start of the body, without its line end. */
static bool find_delimiter(struct multipart *multipart, struct body_text body, size_t budget,
                           struct place *ret_place)
{
    size_t room = body.len - multipart->at;
    const char *from = body.bytes + multipart->at;
    size_t len = multipart->delimiter_len;
    if (multipart->at == 0 && room >= len - 2 &&
        memcmp(from, multipart->delimiter + 2, len - 2) == 0) {
        *ret_place = (struct place){0, len - 2};
        return true;
    }
    if (room < len) {
        multipart->at = body.len;
        return false;
    }
    size_t span = room - len > budget ? budget + len : room;
    const char *found = memmem(from, span, multipart->delimiter, len);
    if (found == NULL) {
        multipart->at = span < room ? multipart->at + span - len + 1 : body.len;
        return false;
    }
    size_t end = (size_t)(found - body.bytes);
    *ret_place = (struct place){end, end + len};
    return true;
}

static int finish(struct multipart *multipart)
{
    if (multipart->is_begun && !multipart->is_in_part) {
        return 0;
    }
    return refuse(multipart, multipart->is_begun ? "it ends within a part"
                                                 : "the boundary does not occur in it");
}

/* At a delimiter: 1 when a part ends there, 0 when none does, -EAGAIN when it is not one after all. */
static int pass_delimiter(struct multipart *multipart, struct body_text body, struct place place,
                          struct multipart_part *ret_part)
{
    bool has_part = multipart->is_in_part;
    enum line_kind kind = judge_line(body, place.behind, &multipart->at);
    if (kind == LINE_IS_NONE) {
        multipart->at = place.behind;
        return -EAGAIN;
    }
    if (has_part) {
        set_part(multipart, body, place.end, ret_part);
    }
    multipart->is_begun = true;
    multipart->is_in_part = false;
    if (kind == LINE_IS_DELIMITER) {
        int r = read_head(multipart, body);
        if (r < 0) {
            return r;
        }
    }
    return has_part;
}

int multipart_next(struct multipart *multipart, struct body_text body, size_t budget,
                   struct multipart_part *ret_part)
{
    size_t stop = multipart->at + budget;
    while (multipart->at < body.len) {
        struct place place;
        if (multipart->at >= stop) {
            return -EAGAIN;
        }
        if (!find_delimiter(multipart, body, stop - multipart->at, &place)) {
            continue;
        }
        int r = pass_delimiter(multipart, body, place, ret_part);
        if (r != 0 && r != -EAGAIN) {
            return r;
        }
    }
    return finish(multipart);
}

int multipart_next_header(struct body_text *head, struct body_text *ret_name,
                          struct body_text *ret_value)
{
    if (head->len == 0) {
        return 0;
    }
    const char *end = memmem(head->bytes, head->len, "\r\n", 2);
    size_t len = end != NULL ? (size_t)(end - head->bytes) : head->len;
    const char *line = head->bytes;
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon != NULL ? (size_t)(colon - line) : 0;
    if (colon == NULL || !header_text_is_name(line, name_len)) {
        return -EBADMSG; /* a continued line too: RFC 7578 has none */
    }
    const char *value = colon + 1;
    size_t value_len = len - name_len - 1;
    while (value_len > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        value_len--;
    }
    while (value_len > 0 && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t')) {
        value_len--;
    }
    if (!header_text_is_value(value, value_len)) {
        return -EBADMSG;
    }
    size_t used = end != NULL ? len + 2 : len;
    head->bytes += used;
    head->len -= used;
    *ret_name = (struct body_text){line, name_len};
    *ret_value = (struct body_text){value, value_len};
    return 1;
}
