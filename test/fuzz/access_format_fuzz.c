/* sources: common/access_format.c common/nearest.c common/err.c | */
/* Whatever the template, its items are pieces of the format's own text, or variables. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/access_format.h"
#include "common/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct access_format format;
    char text[2 * ACCESS_FORMAT_TEXT_MAX];
    struct fsd_err err;
    if (size >= sizeof(text)) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (access_format_parse(&format, text, &err) != 0) {
        assert(strlen(err.text) > 0);
        return 0;
    }
    assert(format.is_json == (format.count == 0));
    for (size_t i = 0; i < format.count; i++) {
        const struct access_item *item = &format.items[i];
        if (item->variable <= ACCESS_RESPONSE_HEADER) {
            assert(item->len > 0 && item->text >= format.text);
            assert(item->text + item->len < format.text + sizeof(format.text));
        }
    }
    return 0;
}
