/*
 * conf_text.c - the texts of a configuration, and what tells two of them apart.
 *
 * Owns the hash: FNV-1a of 64 bits (Fowler, Noll, Vo) over each path and text with a NUL behind
 * them.  It is a name for people and for comparing, not a protection: who can choose the texts can
 * make two with one hash.
 *
 * Called by conf.c, and for the history of applied configurations.  Pure.
 */
#include "daemon/conf/conf_text.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME  UINT64_C(0x100000001b3)

static uint64_t add_bytes(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * FNV_PRIME;
    }
    return hash * FNV_PRIME; /* as a NUL */
}

void conf_text_hash(const struct conf_text *texts, size_t count, char hash[CONF_TEXT_HASH_MAX])
{
    uint64_t value = FNV_OFFSET;

    for (size_t i = 0; i < count; i++) {
        value = add_bytes(value, texts[i].path, strlen(texts[i].path));
        value = add_bytes(value, texts[i].text, texts[i].len);
    }
    (void)snprintf(hash, CONF_TEXT_HASH_MAX, "%016" PRIx64, value);
}
