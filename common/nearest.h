#ifndef FSD_COMMON_NEAREST_H
#define FSD_COMMON_NEAREST_H

#include <stddef.h>

/* The candidate that a person most likely meant by word, or NULL when none is near: few typing
 * mistakes away (letter case does not count), or the only one that begins with word.  The result
 * is one of candidates; equal distances go to the first. */
const char *nearest_find(const char *word, const char *const *candidates, size_t count);

#endif
