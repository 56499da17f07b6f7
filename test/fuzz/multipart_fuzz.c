/* sources: worker/http/body/multipart.c worker/http/body/disposition.c worker/http/body/body_parameters.c worker/http/text/query.c worker/http/text/header_text.c worker/http/text/mime.c worker/http/text/head_bytes.c | */
/* Parts come in order and lie in the body, in pieces as in one go; headers and what they say lie in their buffers. */
#include "worker/http/body/multipart.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/body/disposition.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_disposition(struct body_text value)
{
    struct disposition found;
    char *buf = malloc(3 * value.len + 1);
    if (buf == NULL) {
        return;
    }
    if (disposition_parse(value.bytes, value.len, buf, &found) == 0 &&
        found.name.len + found.filename.len > 3 * value.len) {
        abort();
    }
    free(buf);
}

static void read_head(struct body_text head)
{
    struct body_text name;
    struct body_text value;
    while (multipart_next_header(&head, &name, &value) == 1) {
        if (name.len == 0) {
            abort();
        }
        read_disposition(value);
    }
}

/* Sums up where the parts lie. */
static size_t read_all(struct body_text body, size_t budget, int *ret_last)
{
    struct multipart multipart;
    struct multipart_part part;
    const char *behind = body.bytes;
    size_t sum = 0;
    if (multipart_init(&multipart, "a", 1) < 0) {
        abort();
    }
    for (;;) {
        int r = multipart_next(&multipart, body, budget, &part);
        if (r == -EAGAIN) {
            continue;
        }
        if (r != 1) {
            *ret_last = r;
            return sum;
        }
        if (part.head.bytes < behind || part.data.bytes < part.head.bytes + part.head.len ||
            part.data.bytes + part.data.len > body.bytes + body.len) {
            abort();
        }
        behind = part.data.bytes + part.data.len;
        sum = sum * 31 + (size_t)(part.data.bytes - body.bytes) + 7 * part.data.len;
        read_head(part.head);
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct body_text body = {(const char *)data, size};
    int whole = 0;
    int pieces = 0;
    if (read_all(body, SIZE_MAX / 2, &whole) != read_all(body, 3, &pieces) || whole != pieces) {
        abort();
    }
    read_disposition(body);
    return 0;
}
