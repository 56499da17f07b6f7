/* sources: common/line.c | */
/* Whatever the pieces and the limit are, the lines are those between the newlines, and what is held stays bounded.
 * First byte: the limit; second: the size of the pieces; the rest is the stream. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes all lines that are there and compares them with the input; 0, or the error of line_next. */
static int compare_lines(struct line *line, const uint8_t *input, size_t *at)
{
    char *text = NULL;
    size_t len = 0;
    int r = 0;
    while ((r = line_next(line, &text, &len)) == 1) {
        assert(len <= line->line_max);
        assert(memcmp(text, input + *at, len) == 0 && input[*at + len] == '\n');
        assert(text[len] == '\0' && memchr(text, '\n', len) == NULL);
        *at += len + 1;
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const uint8_t *input = data + 2;
    size_t left = size - 2;
    size_t piece = (size_t)data[1] + 1;
    size_t fed = 0;
    size_t at = 0;
    struct line line;
    line_init(&line, data[0]);
    while (fed < left) {
        size_t len = left - fed < piece ? left - fed : piece;
        assert(line_append(&line, input + fed, len) == 0);
        fed += len;
        int r = compare_lines(&line, input, &at);
        if (r < 0) {
            assert(r == -EMSGSIZE && fed - at > data[0]);
            break;
        }
        assert(fed - at <= data[0] && line_is_partial(&line) == (fed > at));
    }
    line_fini(&line);
    return 0;
}
