#ifndef FSD_DAEMON_DEVELOP_EXCERPT_H
#define FSD_DAEMON_DEVELOP_EXCERPT_H

#include <stdbool.h>
#include <stddef.h>

enum { EXCERPT_MAX = 1024, EXCERPT_NAME_MAX = 256 };

/* Where an error message says that something is wrong. */
struct excerpt_place {
    char name[EXCERPT_NAME_MAX];
    unsigned line;
};

/* The first "FILE.lua:LINE:" of a message; false when there is none. */
bool excerpt_find_place(const char *message, struct excerpt_place *ret);
/* The line and its neighbours, each with its number, a marker before the line itself, as text for a terminal; the end of the
 * source counts as a line.  "" when the source has no such line. */
void excerpt_format(const char *source, size_t len, unsigned line, char text[EXCERPT_MAX]);

#endif
