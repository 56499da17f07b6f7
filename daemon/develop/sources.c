/* sources.c - what an application's code looked like at one moment, and what is different at another.
 * Owns the names.  Two sorted lists are walked side by side: a name that only one of them has, or that has another stamp, is a
 * difference.
 * Called by develop.c, filled by scan.c.  Pure. */
#include "daemon/develop/sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_SHOWN = 3, CAPACITY_FIRST = 64 };

/* The names found so far, as text. */
struct summary {
    char *text;
    size_t size;
    size_t len;
    size_t count;
};

static int grow(struct sources *sources)
{
    if (sources->count < sources->capacity) {
        return 0;
    }
    size_t capacity = sources->capacity == 0 ? CAPACITY_FIRST : sources->capacity * 2;
    struct source_row *rows = realloc(sources->rows, capacity * sizeof(*rows));
    if (rows == NULL) {
        return -ENOMEM;
    }
    sources->rows = rows;
    sources->capacity = capacity;
    return 0;
}

int sources_add(struct sources *sources, const char *name, const struct source_stamp *stamp)
{
    if (grow(sources) < 0) {
        return -ENOMEM;
    }
    struct source_row *row = &sources->rows[sources->count];
    *row = (struct source_row){.name = strdup(name), .stamp = *stamp};
    if (row->name == NULL) {
        return -ENOMEM;
    }
    sources->count++;
    if (stamp->changed_ns > sources->newest_ns) {
        sources->newest_ns = stamp->changed_ns;
    }
    return 0;
}

static int compare_rows(const void *left, const void *right)
{
    const struct source_row *a = left;
    const struct source_row *b = right;
    return strcmp(a->name, b->name);
}

void sources_sort(struct sources *sources)
{
    if (sources->count > 0) {
        qsort(sources->rows, sources->count, sizeof(*sources->rows), compare_rows);
    }
}

static int compare_name(const void *name, const void *row)
{
    return strcmp(name, ((const struct source_row *)row)->name);
}

const struct source_row *sources_find(const struct sources *sources, const char *name)
{
    return sources->count == 0
               ? NULL
               : bsearch(name, sources->rows, sources->count, sizeof(*sources->rows), compare_name);
}

static bool is_same(const struct source_stamp *a, const struct source_stamp *b)
{
    return a->inode == b->inode && a->size == b->size && a->modified_ns == b->modified_ns &&
           a->changed_ns == b->changed_ns;
}

static void append(struct summary *summary, const char *before, const char *words)
{
    if (summary->len + 1 >= summary->size) {
        return;
    }
    size_t room = summary->size - summary->len;
    int len = snprintf(summary->text + summary->len, room, "%s%s", before, words);
    summary->len += (size_t)len < room ? (size_t)len : room - 1;
}

static void note(struct summary *summary, const char *name)
{
    if (summary->count < NAMES_SHOWN) {
        append(summary, summary->count > 0 ? ", " : "", name);
    }
    summary->count++;
}

size_t sources_compare(const struct sources *before, const struct sources *after, char *text,
                       size_t size)
{
    struct summary summary = {.text = text, .size = size};
    size_t i = 0;
    size_t j = 0;
    text[0] = '\0';
    while (i < before->count || j < after->count) {
        int order = 0;
        if (i == before->count || j == after->count) {
            order = i == before->count ? 1 : -1;
        } else {
            order = strcmp(before->rows[i].name, after->rows[j].name);
        }
        const char *name = order <= 0 ? before->rows[i].name : after->rows[j].name;
        if (order != 0 || !is_same(&before->rows[i].stamp, &after->rows[j].stamp)) {
            note(&summary, name);
        }
        i += order <= 0;
        j += order >= 0;
    }
    if (summary.count > NAMES_SHOWN) {
        char more[32];
        (void)snprintf(more, sizeof(more), "%zu more", summary.count - NAMES_SHOWN);
        append(&summary, " and ", more);
    }
    return summary.count;
}

/* FNV-1a, a byte at a time. */
static uint64_t digest_byte(uint64_t digest, uint64_t byte)
{
    return (digest ^ byte) * UINT64_C(0x100000001b3);
}

static uint64_t digest_number(uint64_t digest, uint64_t number)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        digest = digest_byte(digest, (number >> shift) & 0xff);
    }
    return digest;
}

uint64_t sources_digest(const struct sources *sources)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sources->count; i++) {
        const struct source_row *row = &sources->rows[i];
        for (const char *at = row->name; *at != '\0'; at++) {
            digest = digest_byte(digest, (unsigned char)*at);
        }
        digest = digest_byte(digest, 0); /* the name's end */
        digest = digest_number(digest, row->stamp.inode);
        digest = digest_number(digest, (uint64_t)row->stamp.size);
        digest = digest_number(digest, (uint64_t)row->stamp.modified_ns);
        digest = digest_number(digest, (uint64_t)row->stamp.changed_ns);
    }
    return digest == 0 ? 1 : digest;
}

void sources_fini(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->rows[i].name);
    }
    free(sources->rows);
    *sources = (struct sources){0};
}
