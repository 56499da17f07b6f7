/* sources: worker/http/text/accept.c worker/http/text/parameters.c worker/http/text/media_type.c | */
/* Entries lie inside the header and are bounded, the acceptable ones come first, and an offer is chosen only when one is acceptable. */
#include "worker/http/text/accept.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/text/media_type.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sorted(struct accept *accept)
{
    unsigned count = accept_sort(accept);
    for (unsigned i = 0; i < accept->count; i++) {
        uint32_t before = i > 0 ? accept->entries[i - 1].quality : UINT32_MAX;
        uint32_t quality = accept->entries[i].quality;
        if (quality > before || (quality > 0) != (i < count)) {
            abort();
        }
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    const char *end = text + size - 1;
    struct accept accept;
    accept_parse(&accept, (enum accept_kind)(data[0] % 4), text, size - 1);
    if (accept.count > ACCEPT_ENTRIES_MAX) {
        abort();
    }
    struct parameter_text offers[3] = {
        {"text/html;level=1", 17}, {"gzip", 4}, {.bytes = text, .len = size - 1}};
    int chosen = accept_choose(&accept, offers, 3);
    for (unsigned i = 0; i < accept.count; i++) {
        const struct accept_entry *entry = &accept.entries[i];
        int is_added = accept.kind == ACCEPT_ENCODING && i == accept.count - 1;
        if (!is_added &&
            (entry->value.bytes < text || entry->value.bytes + entry->value.len > end)) {
            abort();
        }
    }
    check_sorted(&accept);
    if (chosen >= 3 || (chosen >= 0 && accept_sort(&accept) == 0)) {
        abort();
    }
    char type[MEDIA_TYPE_MAX];
    if (media_type_parse(text, size - 1, type) != strlen(type) ||
        (type[0] != '\0' && !media_type_matches(type, type))) {
        abort();
    }
    return 0;
}
