/* sources: worker/toolbox/base64.c | libcrypto */
/* What is read strictly, in whatever pieces, is written as the same text again; bytes never go beyond their room. */
#include "worker/toolbox/base64.h"

#include <stdlib.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct base64_reader reader = {.alphabet = data[0] % 3, .is_padded = (data[0] & 4) != 0};
    enum base64_alphabet alphabet = reader.alphabet;
    size_t piece = (size_t)data[1] + 1;
    const char *text = (const char *)data + 2;
    size_t len = size - 2;
    size_t written = 0;
    size_t done = 0;
    uint8_t *bytes = malloc(BASE64_BYTES_ROOM(len) + 1);
    char *again = malloc(BASE64_TEXT_ROOM(BASE64_BYTES_ROOM(len)));
    if (bytes == NULL || again == NULL) {
        abort();
    }
    while (done < len) {
        size_t part = len - done < piece ? len - done : piece;
        size_t taken = base64_read(&reader, text + done, part, bytes, &written);
        done += taken;
        if (taken < part) {
            break;
        }
    }
    if (done == len && base64_read_end(&reader, bytes, &written) && alphabet != BASE64_ANY) {
        size_t again_len = base64_encode(bytes, written, alphabet, reader.is_padded, again);
        if (again_len != len || memcmp(again, text, len) != 0) {
            abort();
        }
    }
    if (written > BASE64_BYTES_ROOM(len)) {
        abort();
    }
    free(again);
    free(bytes);
    return 0;
}
