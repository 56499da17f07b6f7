/* sources: worker/http/text/forwarded.c common/address.c worker/http/text/parameters.c worker/http/text/header_text.c worker/http/text/mime.c common/err.c worker/http/text/head_bytes.c | */
/* Hops are bounded and their texts lie inside the header; an address that is read is read again from what is written. */
#include "worker/http/text/forwarded.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const struct parameter *parameter, const char *text, size_t size)
{
    const struct parameter_text *value = &parameter->value;
    if (value->len > 0 && (value->bytes < text || value->bytes + value->len > text + size)) {
        abort();
    }
}

static void check_hops(const struct forwarded *forwarded, const char *text, size_t size)
{
    if (forwarded->count > FORWARDED_HOPS_MAX) {
        abort();
    }
    for (unsigned i = 0; i < forwarded->count; i++) {
        const struct forwarded_hop *hop = &forwarded->hops[i];
        char written[ADDRESS_TEXT_MAX];
        struct address again;
        check_inside(&hop->proto, text, size);
        check_inside(&hop->host, text, size);
        if (hop->has_address) {
            address_format(&hop->address, written);
            if (address_parse(written, strlen(written), &again) != 0 ||
                memcmp(again.bytes, hop->address.bytes, sizeof(again.bytes)) != 0) {
                abort();
            }
        }
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct forwarded forwarded;
    char host[FORWARDED_HOST_MAX];
    forwarded_parse(&forwarded, text, size);
    check_hops(&forwarded, text, size);
    forwarded_parse_list(&forwarded, text, size);
    check_hops(&forwarded, text, size);
    size_t len = forwarded_find_host(text, size, host);
    if (len > 0 && strlen(host) != len) {
        abort();
    }
    (void)forwarded_find_proto(text, size);
    struct address_trust trust = {.kind = ADDRESS_TRUST_UNSET};
    struct fsd_err err;
    if (address_trust_add(&trust, text, size, &err) == 0) {
        (void)address_is_trusted(&trust, &trust.ranges[0].base, 0);
    }
    return 0;
}
