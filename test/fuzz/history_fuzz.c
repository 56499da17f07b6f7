/* sources: daemon/change/history_record.c common/err.c | jansson */
/* A file in the history is read or refused; what is read can be written, and is read as the same. */
#include "daemon/change/history_record.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const struct conf_text *a, const struct conf_text *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(a[i].path, b[i].path) != 0 || a[i].len != b[i].len ||
            memcmp(a[i].text, b[i].text, a[i].len + 1) != 0) {
            return false;
        }
    }
    return true;
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct history_entry entry;
    struct history_entry again;
    struct conf_text *texts = NULL;
    struct conf_text *texts_again = NULL;
    char *json = NULL;
    if (history_record_decode((const char *)data, size, &entry, &texts, NULL) < 0) {
        return 0;
    }
    if (entry.files == 0 || entry.files > HISTORY_FILES_MAX ||
        history_record_encode(&entry, texts, &json, NULL) < 0 ||
        history_record_decode(json, strlen(json), &again, &texts_again, NULL) < 0 ||
        again.files != entry.files || again.number != entry.number || again.how != entry.how ||
        !is_same(texts, texts_again, entry.files)) {
        abort();
    }
    history_record_free_texts(texts, entry.files);
    history_record_free_texts(texts_again, again.files);
    free(json);
    return 0;
}
