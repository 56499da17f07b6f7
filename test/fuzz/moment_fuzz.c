/* sources: worker/toolbox/moment.c | */
/* Whatever is read as a date lies in the years 0 to 9999, give or take a day of offset. */
#include "worker/toolbox/moment.h"

#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct moment moment;
    if (!moment_parse((const char *)data, size, &moment)) {
        return 0;
    }
    if (moment.seconds < INT64_C(-62167219200) - 86400 ||
        moment.seconds > INT64_C(253402300800) + 86400 || moment.nanoseconds > 999999999 ||
        moment.offset <= -86400 || moment.offset >= 86400) {
        abort();
    }
    return 0;
}
