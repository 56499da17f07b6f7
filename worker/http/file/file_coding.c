/* file_coding.c - which compressed forms of a file a client takes.
 * Owns the list of codings.  Browsers like all that they can read the same, so the order of the application's list decides then; a
 * client that says otherwise by numbers is followed.
 * Called by folder.c where a folder has compressed forms.  Must not know files. */
#include "worker/http/file/file_coding.h"

#include <string.h>
#include <strings.h>

#include "worker/http/text/accept.h"

static const char *const codings[][2] = {{"br", "br"}, {"gz", "gzip"}, {"zst", "zstd"}};

const char *file_coding_name(const char *ending)
{
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        if (strcmp(codings[i][0], ending) == 0) {
            return codings[i][1];
        }
    }
    return NULL;
}

static bool is_named(const struct accept_entry *entry, const char *name)
{
    return entry->value.len == strlen(name) &&
           strncasecmp(entry->value.bytes, name, entry->value.len) == 0;
}

/* In millionths; otherwise where the header does not speak of it. */
static uint32_t find_quality(const struct accept *accept, const char *name, uint32_t otherwise)
{
    for (unsigned i = 0; i < accept->count; i++) {
        if (is_named(&accept->entries[i], name)) {
            return accept->entries[i].quality;
        }
    }
    return otherwise;
}

size_t file_coding_choose(const h2o_req_t *req, char *const *endings, size_t count,
                          unsigned ret_order[FILE_CODING_MAX])
{
    struct accept accept;
    uint32_t qualities[FILE_CODING_MAX];
    size_t chosen = 0;
    ssize_t at = h2o_find_header(&req->headers, H2O_TOKEN_ACCEPT_ENCODING, -1);
    if (at == -1) {
        return 0;
    }
    h2o_iovec_t text = req->headers.entries[at].value;
    accept_parse(&accept, ACCEPT_ENCODING, text.base, text.len);
    uint32_t any = find_quality(&accept, "*", 0);
    uint32_t least = find_quality(&accept, "identity", 0);
    for (unsigned i = 0; i < count && i < FILE_CODING_MAX; i++) {
        uint32_t quality = find_quality(&accept, file_coding_name(endings[i]), any);
        if (quality == 0 || quality < least) {
            continue;
        }
        size_t place = chosen++;
        for (; place > 0 && qualities[place - 1] < quality; place--) {
            qualities[place] = qualities[place - 1];
            ret_order[place] = ret_order[place - 1];
        }
        qualities[place] = quality;
        ret_order[place] = i;
    }
    return chosen;
}
