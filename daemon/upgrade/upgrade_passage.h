#ifndef FSD_DAEMON_UPGRADE_UPGRADE_PASSAGE_H
#define FSD_DAEMON_UPGRADE_UPGRADE_PASSAGE_H

#include <stdbool.h>

/* The command line of a program that takes another one's place: `fsd --upgrade-... NUMBERS`, then the words that the first of them was
 * started with, for whoever looks with ps. */
#define UPGRADE_PASSAGE_PROBE "--upgrade-probe" /* STATE: only try */
#define UPGRADE_PASSAGE_STATE "--upgrade-state" /* STATE:BACK:NOTE: go on */
#define UPGRADE_PASSAGE_BACK  "--upgrade-back"  /* STATE:NOTE: go on, the other one could not */

/* Descriptors beside those of the state. */
struct upgrade_passage {
    int state; /* the sealed memfd of the state */
    int back;  /* O_PATH, of the program before; -1: there is no way back */
    int note;  /* memfd, for why the next program went back */
};

/* What the word behind the option says; with_back: it has three numbers.  0 or -EINVAL. */
int upgrade_passage_parse(const char *text, bool with_back, struct upgrade_passage *ret_passage);
/* Becomes the program at path, which is to go on.  Returns only on failure: a negative errno. */
int upgrade_passage_go(const char *path, const struct upgrade_passage *passage);
/* Becomes the program before. */
int upgrade_passage_return(const struct upgrade_passage *passage);

#endif
