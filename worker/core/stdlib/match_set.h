#ifndef FSD_WORKER_CORE_STDLIB_MATCH_SET_H
#define FSD_WORKER_CORE_STDLIB_MATCH_SET_H

#include <stdbool.h>
#include <stdint.h>

/* Which of the 256 bytes a class or a set of a pattern stands for. */
struct match_set {
    uint64_t words[4];
};

static inline bool match_set_has(const struct match_set *set, char byte)
{
    unsigned char code = (unsigned char)byte;
    return (set->words[code >> 6] >> (code & 63) & 1) != 0;
}

/* The class that a letter after % names, as of the C locale; NULL when it names none, and so stands for itself. */
const struct match_set *match_set_of_class(char letter);
/* The set whose [ stands at the byte before text: writes it, and returns where it ends (behind the closing bracket); NULL
 * when it is not closed. */
const char *match_set_read(const char *text, const char *text_end, struct match_set *ret_set);

#endif
