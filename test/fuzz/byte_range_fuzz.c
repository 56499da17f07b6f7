/* sources: worker/http/text/byte_range.c | */
/* Whatever the header says, every range lies within the representation, there are no more than the limit, and combined ones leave a
 * gap between each other and cover just what the others cover.  The first byte is the size. */
#include "worker/http/text/byte_range.h"

#include <stdint.h>
#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct byte_range *ranges, int count, uint64_t size, uint8_t wanted[256])
{
    if (count > BYTE_RANGE_MAX) {
        abort();
    }
    for (int i = 0; i < count; i++) {
        if (ranges[i].first > ranges[i].last || ranges[i].last >= size) {
            abort();
        }
        for (uint64_t at = ranges[i].first; at <= ranges[i].last; at++) {
            wanted[at]++;
        }
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_range ranges[BYTE_RANGE_MAX];
    uint8_t wanted[256] = {0};
    uint8_t given[256] = {0};
    if (size == 0) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    int count = byte_range_parse(text, size - 1, data[0], false, ranges);
    check(ranges, count, data[0], wanted);
    int combined = byte_range_parse(text, size - 1, data[0], true, ranges);
    check(ranges, combined, data[0], given);
    for (size_t i = 0; i < sizeof(wanted); i++) {
        if (given[i] != (wanted[i] > 0 ? 1 : 0)) {
            abort();
        }
    }
    if (count < 0 ? combined != count : combined < 1 || combined > count) {
        abort();
    }
    for (int i = 0; i < combined; i++) {
        for (int j = 0; j < combined; j++) {
            if (i != j && ranges[i].last + 1 == ranges[j].first) {
                abort();
            }
        }
    }
    (void)byte_range_is_bytes(text, size - 1);
    return 0;
}
