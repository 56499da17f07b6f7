/* sources: worker/http/body/inflation.c | zlib */
/* In small pieces as in large ones the same comes out, and never more than the limit. */
#include "worker/http/body/inflation.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 4096 };

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum inflation_result run(struct inflation *inflation, struct body_text body, bool is_gzip,
                                 size_t budget)
{
    enum inflation_result result;
    inflation_init(inflation, body, is_gzip, LIMIT);
    while ((result = inflation_run(inflation, body, budget)) == INFLATION_GOES_ON) {
        if (inflation->len > LIMIT) {
            abort();
        }
    }
    return result;
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inflation large;
    struct inflation small;
    if (size == 0) {
        return 0;
    }
    struct body_text body = {(const char *)data + 1, size - 1};
    bool is_gzip = data[0] & 1;
    enum inflation_result result = run(&large, body, is_gzip, SIZE_MAX / 4);
    if (run(&small, body, is_gzip, 64) != result ||
        (result == INFLATION_DONE &&
         (large.len != small.len ||
          (large.len > 0 && memcmp(large.out, small.out, large.len) != 0)))) {
        abort();
    }
    inflation_fini(&large);
    inflation_fini(&small);
    return 0;
}
