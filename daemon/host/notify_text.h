#ifndef FSD_DAEMON_HOST_NOTIFY_TEXT_H
#define FSD_DAEMON_HOST_NOTIFY_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { NOTIFY_TEXT_MAX = 256 };

/* A pool as the status line shows it. */
struct notify_text_pool {
    const char *name;
    unsigned ready;   /* workers that serve */
    unsigned count;   /* workers that it should have */
    const char *note; /* "held", "starting"; NULL: nothing to say */
};

/* "running: web 4/4, jobs 0/1 held; config 17"; pools for which there is no room are counted: "... and 3 more".  config 0:
 * nothing is said about it. */
void notify_text_format(const char *phase, const struct notify_text_pool *pools, size_t count,
                        uint64_t config, char text[NOTIFY_TEXT_MAX]);
/* Cuts to what fits and makes one line of it. */
void notify_text_clean(const char *text, char ret_clean[NOTIFY_TEXT_MAX]);

#endif
