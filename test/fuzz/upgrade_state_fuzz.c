/* sources: daemon/upgrade/record.c daemon/upgrade/upgrade_state.c daemon/upgrade/upgrade_check.c common/msgpack.c common/msgpack_read.c common/err.c | libsystemd jansson */
/* The state of another master is read or refused; what is read can be written, and is read as the same. */
#include "daemon/upgrade/upgrade_state.h"

#include <stdlib.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct upgrade_state state;
    struct upgrade_state again;
    struct fsd_err err;
    unsigned char *first = NULL;
    unsigned char *second = NULL;
    size_t first_len = 0;
    size_t second_len = 0;
    if (upgrade_state_decode(&state, data, size, &err) < 0) {
        return 0;
    }
    if (upgrade_state_encode(&state, &first, &first_len) < 0 ||
        upgrade_state_decode(&again, first, first_len, &err) < 0 ||
        upgrade_state_encode(&again, &second, &second_len) < 0 || first_len != second_len ||
        memcmp(first, second, first_len) != 0) {
        abort();
    }
    upgrade_state_fini(&state);
    upgrade_state_fini(&again);
    free(first);
    free(second);
    return 0;
}
