/* sources: worker/http/text/http_date.c | */
/* What is read as a date is between the years 0 and 9999, and what is written of it is read as the same again. */
#include "worker/http/text/http_date.h"

#include <stdint.h>
#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t seconds;
    int64_t again;
    char text[HTTP_DATE_LEN + 1];
    if (http_date_parse((const char *)data, size, &seconds) != 0) {
        return 0;
    }
    if (seconds < -62167219200 || seconds > HTTP_DATE_LAST + 1) { /* it may be a leap second */
        abort();
    }
    http_date_format(seconds, text);
    if (http_date_parse(text, HTTP_DATE_LEN, &again) != 0 ||
        (seconds >= 0 && seconds <= HTTP_DATE_LAST && again != seconds)) {
        abort();
    }
    return 0;
}
