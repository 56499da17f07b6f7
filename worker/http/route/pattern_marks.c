/* pattern_marks.c - reads the text of a path pattern into marks: literal runs, names, braces.
 * Owns nothing: the marks and the block for unescaped bytes are its caller's, pattern.c, which
 * calls it once for each pattern.  It goes through the text from left to right, byte by byte, and
 * stops at the first thing that has no meaning, with its position and what to write instead.
 * Must not know which orders of marks make a valid path (pattern.c). */
#include "worker/http/route/pattern_marks.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/err.h"

static const struct {
    char byte;
    const char *hint;
} reserved_rows[] = {
    {'?', "write {...} around an optional part"},
    {'+', "write /*name for one or more segments"},
    {'(', "write a plain :name and check its value with app:param"},
    {')', "write \\) for the character itself"},
    {'[', "write \\[ for the character itself"},
    {']', "write \\] for the character itself"},
    {'!', "write \\! for the character itself"},
};
_Static_assert(sizeof(reserved_rows) / sizeof(reserved_rows[0]) == 7, "? + ( ) [ ] !");

static const char *reserved_hint(char byte)
{
    for (size_t i = 0; i < sizeof(reserved_rows) / sizeof(reserved_rows[0]); i++) {
        if (reserved_rows[i].byte == byte) {
            return reserved_rows[i].hint;
        }
    }
    return NULL;
}

static struct pattern_mark *add_mark(struct pattern_marks *marks, enum pattern_mark_kind kind,
                                     size_t position)
{
    assert(marks->items != NULL && marks->count < marks->len + PATTERN_PARTS_MAX);
    struct pattern_mark *mark = &marks->items[marks->count++];
    *mark = (struct pattern_mark){.kind = kind, .text = marks->out, .position = position};
    return mark;
}

static void add_text(struct pattern_marks *marks, char byte, size_t position)
{
    struct pattern_mark *last = marks->count == 0 ? NULL : &marks->items[marks->count - 1];
    if (last == NULL || last->kind != PATTERN_MARK_TEXT) {
        last = add_mark(marks, PATTERN_MARK_TEXT, position);
    }
    *marks->out++ = byte;
    last->len++;
}

/* The habit of older Express versions, `/:id?`, deserves the very text to write instead. */
static int refuse_question_mark(const struct pattern_marks *marks)
{
    const char *text = marks->pattern->text;
    const struct pattern_mark *last = marks->count == 0 ? NULL : &marks->items[marks->count - 1];
    if (last == NULL || (last->kind != PATTERN_MARK_PARAM && last->kind != PATTERN_MARK_TEXT)) {
        return fsd_err_set(marks->err, EINVAL,
                           "cannot add route \"%s\": unexpected \"?\" at position %zu; %s", text,
                           marks->at + 1, reserved_hint('?'));
    }
    size_t start = last->kind == PATTERN_MARK_PARAM ? last->position - 1 : marks->at - 1;
    if (last->kind == PATTERN_MARK_PARAM && start > 0 && text[start - 1] == '/') {
        start--;
    }
    while (start > 0 && ((unsigned char)text[start] & 0xc0) == 0x80) {
        start--; /* to the first byte of a UTF-8 character */
    }
    return fsd_err_set(marks->err, EINVAL,
                       "cannot add route \"%s\": unexpected \"?\" at position %zu; "
                       "write {%.*s} for an optional part",
                       text, marks->at + 1, (int)(marks->at - start), text + start);
}

static bool is_name_byte(char byte, bool is_first)
{
    unsigned char c = (unsigned char)byte;
    unsigned char letter = c | 0x20;
    return (letter >= 'a' && letter <= 'z') || c == '_' || c >= 0x80 ||
           (!is_first && c >= '0' && c <= '9');
}

/* Copies the quoted name that starts at marks->at; its length, or -EINVAL. */
static int read_quoted(struct pattern_marks *marks, size_t *ret_len)
{
    const char *text = marks->pattern->text;
    size_t opened = marks->at++;
    size_t len = 0;
    while (marks->at < marks->len && text[marks->at] != '"') {
        if (text[marks->at] == '\\') {
            marks->at++;
        }
        if (marks->at < marks->len) {
            marks->out[len++] = text[marks->at++];
        }
    }
    if (marks->at >= marks->len) {
        return fsd_err_set(marks->err, EINVAL,
                           "cannot add route \"%s\": the quote at position %zu is never closed",
                           text, opened + 1);
    }
    marks->at++;
    *ret_len = len;
    return 0;
}

/* Copies the name after ":" or "*" to marks->out, without terminating it. */
static int read_name(struct pattern_marks *marks, size_t *ret_len)
{
    const char *text = marks->pattern->text;
    char sigil = text[marks->at++];
    size_t sigil_position = marks->at;
    size_t len = 0;
    if (text[marks->at] == '"') {
        int r = read_quoted(marks, &len);
        if (r < 0) {
            return r;
        }
    } else {
        while (marks->at < marks->len && is_name_byte(text[marks->at], len == 0)) {
            marks->out[len++] = text[marks->at++];
        }
    }
    if (len == 0) {
        return fsd_err_set(marks->err, EINVAL,
                           "cannot add route \"%s\": missing name after \"%c\" at position %zu; "
                           "write %s, or \\%c for the character itself",
                           text, sigil, sigil_position,
                           sigil == ':' ? ":name" : "/*name for one or more segments", sigil);
    }
    *ret_len = len;
    return 0;
}

static int add_name(struct pattern_marks *marks)
{
    struct pattern *pattern = marks->pattern;
    bool is_wildcard = pattern->text[marks->at] == '*';
    struct pattern_mark *mark =
        add_mark(marks, is_wildcard ? PATTERN_MARK_WILDCARD : PATTERN_MARK_PARAM, marks->at + 1);
    size_t len = 0;
    int r = read_name(marks, &len);
    if (r < 0) {
        return r;
    }
    marks->out[len] = '\0'; /* the sigil's byte pays for it */
    for (size_t i = pattern_first_name(pattern, marks->part); i < pattern->name_count; i++) {
        if (strcmp(pattern->names[i], marks->out) == 0) {
            return fsd_err_set(marks->err, EINVAL,
                               "cannot add route \"%s\": the name \"%s\" at position %zu is taken "
                               "by an earlier parameter",
                               pattern->text, marks->out, mark->position);
        }
    }
    if (pattern->name_count == PATTERN_NAMES_MAX) {
        return fsd_err_set(marks->err, EINVAL,
                           "cannot add route \"%s\": more than %d parameters at position %zu",
                           pattern->text, PATTERN_NAMES_MAX, mark->position);
    }
    mark->name = pattern->name_count;
    if (is_wildcard) {
        pattern->wildcards |= UINT32_C(1) << pattern->name_count;
    }
    pattern->names[pattern->name_count++] = marks->out;
    marks->out += len + 1;
    return 0;
}

static void open_group(struct pattern_marks *marks)
{
    struct pattern_mark *mark = add_mark(marks, PATTERN_MARK_OPEN, marks->at + 1);
    mark->group = marks->open_group;
    marks->open_group = marks->count - 1;
}

static int close_group(struct pattern_marks *marks)
{
    if (marks->open_group == PATTERN_NO_GROUP) {
        return fsd_err_set(marks->err, EINVAL,
                           "cannot add route \"%s\": the \"}\" at position %zu closes no group; "
                           "write \\} for the character itself",
                           marks->pattern->text, marks->at + 1);
    }
    struct pattern_mark *opened = &marks->items[marks->open_group];
    (void)add_mark(marks, PATTERN_MARK_CLOSE, marks->at + 1);
    marks->open_group = opened->group;
    opened->group = marks->count - 1;
    return 0;
}

/* One mark that is not plain text; marks->at stands on its first byte. */
static int read_special(struct pattern_marks *marks, char byte)
{
    const char *text = marks->pattern->text;
    int r = 0;
    if (byte == ':' || byte == '*') {
        return add_name(marks);
    }
    if (byte == '{') {
        open_group(marks);
    } else if (byte == '}') {
        r = close_group(marks);
    } else if (byte == '?') {
        r = refuse_question_mark(marks);
    } else if (byte == '\\' && marks->at + 1 < marks->len) {
        marks->at++;
        add_text(marks, text[marks->at], marks->at);
    } else if (byte == '\\') {
        r = fsd_err_set(marks->err, EINVAL,
                        "cannot add route \"%s\": nothing follows the \"\\\" at position %zu", text,
                        marks->at + 1);
    } else {
        r = fsd_err_set(marks->err, EINVAL,
                        "cannot add route \"%s\": unexpected \"%c\" at position %zu; %s", text,
                        byte, marks->at + 1, reserved_hint(byte));
    }
    marks->at++;
    return r;
}

static int refuse_controls(const struct pattern_marks *marks)
{
    const char *text = marks->pattern->text;
    for (size_t i = 0; i < marks->len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            return fsd_err_set(marks->err, EINVAL,
                               "cannot add route: control character at position %zu of the path",
                               i + 1);
        }
    }
    return 0;
}

static void end_part(struct pattern_marks *marks)
{
    struct pattern *pattern = marks->pattern;
    add_mark(marks, PATTERN_MARK_PART_END, marks->at + 1)->name = marks->part;
    pattern->part_names[marks->part++] = pattern->name_count;
}

/* The end of the last part is that of the text. */
static void end_parts(struct pattern_marks *marks)
{
    size_t last = marks->pattern->part_count - 1;
    while (marks->part < last && marks->part_ends[marks->part] <= marks->at) {
        end_part(marks);
    }
}

int pattern_marks_read(struct pattern_marks *marks)
{
    const char *text = marks->pattern->text;
    int r = refuse_controls(marks);
    while (r == 0 && marks->at < marks->len) {
        end_parts(marks);
        char byte = text[marks->at];
        if (strchr(":*{}\\", byte) != NULL || reserved_hint(byte) != NULL) {
            r = read_special(marks, byte);
        } else {
            add_text(marks, byte, marks->at + 1);
            marks->at++;
        }
    }
    end_parts(marks);
    end_part(marks);
    if (r == 0 && marks->open_group != PATTERN_NO_GROUP) {
        r = fsd_err_set(marks->err, EINVAL,
                        "cannot add route \"%s\": the group opened at position %zu is never "
                        "closed; write \\{ for the character itself",
                        text, marks->items[marks->open_group].position);
    }
    return r;
}
