/* laggards.c - the words in which the master is told of what still runs on replaced code.
 * Owns the form of a line, and what is the same in two reports: everything but the time.
 * Called by generations.c.  Pure: no system call, no clock.  Must not know what runs, nor until when it may. */
#include "worker/core/laggards.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void laggards_init(struct laggards *laggards)
{
    laggards->body = (struct proto_laggards){.count = 0};
    laggards->len = 0;
    laggards->hash = UINT64_C(14695981039346656037);
}

void laggards_count(struct laggards *laggards, uint64_t number)
{
    laggards->body.count++;
    if (laggards->body.generation == 0 || number < laggards->body.generation) {
        laggards->body.generation = number;
    }
}

bool laggards_has_room(const struct laggards *laggards)
{
    return laggards->len + LAGGARDS_LINE_MAX < sizeof(laggards->text);
}

static void add_hash(struct laggards *laggards, const char *text)
{
    for (; *text != '\0'; text++) { /* FNV-1a */
        laggards->hash = (laggards->hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
}

void laggards_add(struct laggards *laggards, const char *kind, const char *what, const char *place,
                  uint64_t age_s)
{
    char line[LAGGARDS_LINE_MAX];
    assert(laggards_has_room(laggards));
    add_hash(laggards, what);
    add_hash(laggards, place);
    int len =
        snprintf(line, sizeof(line), "%s %s since %" PRIu64 " at %s\n", kind, what, age_s, place);
    size_t bytes = (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1;
    memcpy(laggards->text + laggards->len, line, bytes);
    laggards->len += bytes;
}

uint64_t laggards_finish(struct laggards *laggards)
{
    laggards->hash ^= laggards->body.count + laggards->body.generation;
    laggards->text[laggards->len > 0 ? laggards->len - 1 : 0] = '\0'; /* no newline at the end */
    return laggards->hash;
}
