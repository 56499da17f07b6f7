/* sources: daemon/proc/laggards.c daemon/log/text.c common/parse.c common/err.c common/terminal.c | jansson */
/* What a worker says of its old code: whatever it is, each part is harmless text of one line of it, and ages only grow. */
#include "daemon/proc/laggards.h"

#include <assert.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/proto.h"

enum { TOLD_MS = 1000, LATER_MS = 7000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(const struct laggard_part *part, const char *line, size_t len)
{
    if (part->len == 0) {
        return;
    }
    assert(part->at >= line && part->at + part->len <= line + len);
    assert(memchr(part->at, '\n', part->len) == NULL && memchr(part->at, 27, part->len) == NULL);
    json_t *text = json_stringn(part->at, part->len); /* is it UTF-8? */
    assert(text != NULL);
    json_decref(text);
}

static void check_line(const char *line, const struct laggard *now, const struct laggard *later)
{
    size_t len = strcspn(line, "\n");
    assert(len > 0 && now->kind.len + now->what.len + now->place.len <= len);
    check_part(&now->kind, line, len);
    check_part(&now->what, line, len);
    check_part(&now->place, line, len);
    assert(now->has_age == later->has_age);
    assert(!now->has_age || later->age_ms == now->age_ms + (LATER_MS - TOLD_MS));
    assert(now->has_age || now->what.len == len); /* nothing is lost */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct laggards laggards = {.count = 0};
    const struct proto_laggards body = {.generation = 1, .count = size};
    struct laggard now;
    struct laggard later;
    const char *at = NULL;
    const char *same = NULL;
    if (size == 0 || size > PROTO_TEXT_MAX) {
        return 0;
    }
    laggards_take(&laggards, &body, data, size, TOLD_MS);
    while (laggards_next(&laggards, TOLD_MS, &at, &now)) {
        assert(laggards_next(&laggards, LATER_MS, &same, &later) && same == at);
        check_line(at, &now, &later);
    }
    laggards_fini(&laggards);
    return 0;
}
