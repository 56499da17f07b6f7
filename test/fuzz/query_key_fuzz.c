/* sources: worker/http/text/query_key.c | */
/* Parts lie inside the name, one after the other, and are no more than the depth allows. */
#include "worker/http/text/query_key.h"

#include <stdint.h>
#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *at = (const char *)data + 1;
    const char *end = at + size - 1;
    size_t depth = 1 + data[0] % QUERY_KEY_DEPTH_MAX;
    struct query_text parts[QUERY_KEY_PARTS_MAX];
    size_t count = query_key_split(at, size - 1, depth, parts);
    if (count > depth + 2) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        unsigned index = 0;
        if (parts[i].bytes < at || parts[i].bytes + parts[i].len > end ||
            (query_key_is_index(parts[i], QUERY_KEY_INDEX, &index) && index > QUERY_KEY_INDEX)) {
            abort();
        }
        at = parts[i].bytes + parts[i].len;
    }
    return 0;
}
