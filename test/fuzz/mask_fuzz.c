/* sources: daemon/crash/mask.c daemon/crash/mask_key.c daemon/log/text.c common/terminal.c | */
/* Whatever the text is, the copy is bounded, clean, and known secrets and the values of keys that announce one are not in it.
 * First byte: the size of the copy; the rest is the text. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "daemon/crash/mask.h"
#include "daemon/log/text.h"

enum { TEXT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char text[TEXT_MAX + 64];
static char copy[3 * sizeof(text) + 1]; /* one byte may become a sign */

static const char *const secrets[] = {"s3cr&t v=lue", "s3cr&t"};
static const struct mask mask = {secrets, 2};

static void check_clean(size_t len)
{
    for (size_t at = 0; at < len;) {
        int32_t code;
        at += text_next(copy + at, len - at, &code);
        assert(code >= 0 && !text_is_control(code));
    }
}

static size_t run(size_t len, size_t copy_size)
{
    copy[copy_size] = 'X';
    size_t copied = mask_text(&mask, text, len, copy, copy_size);
    assert(copied < copy_size && copy[copied] == '\0' && copy[copy_size] == 'X');
    check_clean(copied);
    assert(strstr(copy, secrets[0]) == NULL && strstr(copy, secrets[1]) == NULL);
    return copied;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > TEXT_MAX) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    (void)run(size - 1, (size_t)data[0] + 1);
    (void)run(size - 1, sizeof(copy) - 1);
    /* what follows on a line of its own is found whatever stands before */
    static const char last[] = "\npassword=canary-5f2";
    memcpy(text + size - 1, last, sizeof(last) - 1);
    (void)run(size - 1 + sizeof(last) - 1, sizeof(copy) - 1);
    assert(strstr(copy, "canary-5f2") == NULL || memmem(data, size, "canary", 6) != NULL);
    return 0;
}
