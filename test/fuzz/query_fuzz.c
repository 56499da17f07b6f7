/* sources: worker/http/text/query.c | */
/* Every pair lies inside the buffer and is no longer than its source; strict decoding never writes
 * more than it read. */
#include "worker/http/text/query.h"

#include <stdint.h>
#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char *buf = malloc(size + (size == 0));
    struct query query;
    struct query_text name;
    struct query_text value;
    size_t total = 0;
    if (buf == NULL) {
        return 0;
    }
    query_init(&query, text, size);
    while (query_next(&query, buf, &name, &value) == 1) {
        if (name.bytes != buf || value.bytes != buf + name.len || name.len + value.len > size) {
            abort();
        }
        total += name.len + value.len;
    }
    size_t len = 0;
    if (total > size || query.count > QUERY_PAIRS_MAX ||
        (query_percent_decode(text, size, buf, &len) == 0 && len > size)) {
        abort();
    }
    free(buf);
    return 0;
}
