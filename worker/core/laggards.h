#ifndef FSD_WORKER_CORE_LAGGARDS_H
#define FSD_WORKER_CORE_LAGGARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"

enum { LAGGARDS_LINE_MAX = 256 }; /* bytes; longer ones are cut */

/* What the message LAGGARDS says, while it is put together. */
struct laggards {
    struct proto_laggards body; /* all, and the oldest generation */
    char text[PROTO_TEXT_MAX];  /* as many of them as there is room for, a line each */
    size_t len;
    uint64_t hash; /* of what has no time in it */
};

void laggards_init(struct laggards *laggards);
/* One more runs on the generation of that number. */
void laggards_count(struct laggards *laggards, uint64_t number);
/* There may be a hundred thousand of them. */
bool laggards_has_room(const struct laggards *laggards);
/* "request GET /path since 3 at app.lua:12"; there must be room. */
void laggards_add(struct laggards *laggards, const char *kind, const char *what, const char *place,
                  uint64_t age_s);
/* Behind the last one: ends the text with a NUL.  Returns a number that is the same as long as the same ones are left. */
uint64_t laggards_finish(struct laggards *laggards);

#endif
