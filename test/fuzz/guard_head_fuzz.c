/* sources: worker/http/text/guard_head.c worker/http/text/head_bytes.c | */
/* A head that passes is read again, line by line and naively: there must be one way to frame it. */
#include "worker/http/text/guard_head.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct counts {
    size_t lengths;
    size_t codings;
    size_t hosts;
};

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool is_header(const char *line, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    return len > name_len && strncasecmp(line, name, name_len) == 0 && line[name_len] == ':';
}

static void count_line(const char *line, size_t len, struct counts *counts)
{
    for (size_t i = 0; i < len; i++) {
        demand(((unsigned char)line[i] >= 0x20 && line[i] != 0x7f) || line[i] == '\t');
    }
    demand(len > 0 && *line != ' ' && *line != '\t' && *line != ':');
    counts->lengths += is_header(line, len, "content-length") ? 1 : 0;
    counts->codings += is_header(line, len, "transfer-encoding") ? 1 : 0;
    counts->hosts += is_header(line, len, "host") ? 1 : 0;
}

static void reread(const char *head, size_t len, int minor_version,
                   const struct guard_head_facts *facts)
{
    struct counts counts = {0};
    const char *end = head + len;
    demand(len >= 4 && memcmp(end - 4, "\r\n\r\n", 4) == 0);
    for (const char *line = head; line < end - 2;) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        demand(line_end > head && line_end[-1] == '\r');
        if (line_end - line > 1 || line != head) { /* an empty line may come first */
            count_line(line, (size_t)(line_end - line - 1), &counts);
        }
        line = line_end + 1;
    }
    demand(counts.lengths + counts.codings <= 1 && counts.hosts <= 1);
    demand(counts.hosts == 1 || minor_version == 0);
    demand(counts.codings == 0 || minor_version > 0);
    demand(facts->has_content_length == (counts.lengths == 1));
    demand(facts->has_transfer_encoding == (counts.codings == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    int minor_version = data[0] & 1;
    size_t len = size - 1;
    char *head = malloc(len + 1); /* its own block: reads beyond the end show */
    memcpy(head, data + 1, len);
    struct guard_head_facts facts;
    /* a third of the inputs has limits */
    static const struct guard_head_limits limits[] = {{0}, {100, 400, 10}, {0}};
    const struct guard_head_limits *limit = &limits[(data[0] >> 1) % 3];
    enum guard_head_verdict verdict = guard_head_check(head, len, minor_version, limit, &facts);
    demand(guard_head_reason(verdict) != NULL && guard_head_status(verdict) >= 200);
    if (verdict == GUARD_HEAD_OK) {
        demand(facts.head_len <= len);
        reread(head, facts.head_len, minor_version, &facts);
    }
    free(head);
    return 0;
}
