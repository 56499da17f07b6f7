/* laggards.c - what still runs on replaced code, as one worker says it.
 * Owns the last report: a few numbers, and lines "KIND WHAT since SECONDS at FILE:LINE" which are kept as harmless text and
 * taken apart when somebody wants to see them.  WHAT may hold any words (it is what a client asked for), so a line is read from
 * its end.  Ages are told once and go on from there: the master knows when it was told.
 * Called by proc_words.c (take), status_laggards.c (next), pool_upgrade.c.  Pure: no system call, no clock.
 * Must not believe anything: a worker may say what it likes. */
#include "daemon/proc/laggards.h"

#include <stdlib.h>
#include <string.h>

#include "common/parse.h"
#include "daemon/log/text.h"

static const char since[] = " since ";
static const char behind[] = " at ";
enum {
    SINCE_LEN = sizeof(since) - 1,
    BEHIND_LEN = sizeof(behind) - 1,
    SECONDS_MAX = 1000000000, /* 30 years */
};

void laggards_fini(struct laggards *laggards)
{
    free(laggards->text);
    *laggards = (struct laggards){.count = 0};
}

void laggards_take(struct laggards *laggards, const struct proto_laggards *body, const void *text,
                   size_t len, uint64_t now_ms)
{
    laggards_fini(laggards);
    if (body->count == 0) {
        return;
    }
    laggards->count = body->count;
    laggards->generation = body->generation;
    laggards->told_ms = now_ms;
    laggards->text = malloc(len + 1);
    if (laggards->text != NULL) {
        (void)text_clean(laggards->text, len + 1, text, len);
    }
}

static bool has_at(const struct laggard_part *line, size_t at, const char *word, size_t len)
{
    return line->len - at >= len && memcmp(line->at + at, word, len) == 0;
}

/* Is at the place of " since SECONDS at "?  *ret_end is what follows it. */
static bool read_age(const struct laggard_part *line, size_t at, uint64_t *ret_seconds,
                     size_t *ret_end)
{
    if (!has_at(line, at, since, SINCE_LEN)) {
        return false;
    }
    size_t first = at + SINCE_LEN;
    size_t digits = 0;
    while (first + digits < line->len && line->at[first + digits] >= '0' &&
           line->at[first + digits] <= '9') {
        digits++;
    }
    char number[16];
    if (digits >= sizeof(number) || !has_at(line, first + digits, behind, BEHIND_LEN)) {
        return false;
    }
    memcpy(number, line->at + first, digits);
    number[digits] = '\0';
    *ret_end = first + digits + BEHIND_LEN;
    return parse_digits(number, 10, SECONDS_MAX, ret_seconds) == 0;
}

static void read_line(const struct laggard_part *line, uint64_t passed_ms, struct laggard *ret_one)
{
    const char *blank = memchr(line->at, ' ', line->len);
    size_t kind_len = blank == NULL ? line->len : (size_t)(blank - line->at);
    uint64_t seconds = 0;
    size_t end = 0;
    *ret_one = (struct laggard){.what = *line};
    for (size_t at = line->len; at-- > kind_len;) {
        if (read_age(line, at, &seconds, &end)) {
            size_t what = kind_len < at ? kind_len + 1 : at; /* nothing at all is between them */
            *ret_one = (struct laggard){.kind = {line->at, kind_len},
                                        .what = {line->at + what, at - what},
                                        .place = {line->at + end, line->len - end},
                                        .has_age = true,
                                        .age_ms = seconds * 1000 + passed_ms};
            return;
        }
    }
}

bool laggards_next(const struct laggards *laggards, uint64_t now_ms, const char **at,
                   struct laggard *ret_one)
{
    const char *line = *at != NULL ? *at + strcspn(*at, "\n") : laggards->text;
    if (line == NULL) {
        return false;
    }
    line += strspn(line, "\n");
    if (*line == '\0') {
        return false;
    }
    struct laggard_part part = {line, strcspn(line, "\n")};
    read_line(&part, now_ms > laggards->told_ms ? now_ms - laggards->told_ms : 0, ret_one);
    *at = line;
    return true;
}
