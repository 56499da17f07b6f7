/*
 * nearest.c - "did you mean".
 *
 * Owns nothing.  Counts the typing mistakes between two words (one letter too many, too few,
 * changed, or two neighbours swapped: Damerau-Levenshtein in its restricted form) and accepts up
 * to a third of the longer word.  When no word is that near, a word that was cut short ("request"
 * for "request_timeout") is completed if there is only one way to do it.
 *
 * Called for unknown configuration keys, names and command words.  Must not print anything.
 */
#include "common/nearest.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
    WORD_MAX = 63,      /* longer words are not mistyped names */
    COMPLETION_MIN = 3, /* fewer letters are not worth completing */
};

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static unsigned min_of(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Fills row i of the distance matrix; before[0] is row i-1 and before[1] row i-2. */
static void fill_row(const char *a, const char *b, size_t i, unsigned *const rows[3])
{
    unsigned *row = rows[0];
    size_t b_len = strlen(b);

    row[0] = (unsigned)i;
    for (size_t j = 1; j <= b_len; j++) {
        bool same = lower(a[i - 1]) == lower(b[j - 1]);
        unsigned best = min_of(rows[1][j], row[j - 1]) + 1;
        best = min_of(best, rows[1][j - 1] + (same ? 0 : 1));
        if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
            lower(a[i - 2]) == lower(b[j - 1])) {
            best = min_of(best, rows[2][j - 2] + 1);
        }
        row[j] = best;
    }
}

/* Both words are at most WORD_MAX long. */
static unsigned count_mistakes(const char *a, const char *b)
{
    unsigned matrix[3][WORD_MAX + 1] = {0};
    size_t a_len = strlen(a);

    for (unsigned j = 0; j <= WORD_MAX; j++) {
        matrix[0][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *const rows[3] = {matrix[i % 3], matrix[(i + 2) % 3], matrix[(i + 1) % 3]};
        fill_row(a, b, i, rows);
    }
    return matrix[a_len % 3][strlen(b)];
}

static const char *find_completion(const char *word, const char *const *candidates, size_t count)
{
    const char *found = NULL;
    size_t len = strlen(word);

    if (len < COMPLETION_MIN) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (strncasecmp(word, candidates[i], len) != 0) {
            continue;
        }
        if (found != NULL) {
            return NULL;
        }
        found = candidates[i];
    }
    return found;
}

const char *nearest_find(const char *word, const char *const *candidates, size_t count)
{
    const char *found = NULL;
    size_t word_len = strlen(word);
    unsigned best = WORD_MAX;

    if (word_len == 0 || word_len > WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(candidates[i]);
        if (len > WORD_MAX) {
            continue;
        }
        size_t longer = len > word_len ? len : word_len;
        unsigned allowed = longer < 6 ? 1 : (unsigned)(longer / 3);
        unsigned mistakes = count_mistakes(word, candidates[i]);
        if (mistakes <= allowed && mistakes < word_len && mistakes < best) {
            best = mistakes;
            found = candidates[i];
        }
    }
    return found != NULL ? found : find_completion(word, candidates, count);
}
