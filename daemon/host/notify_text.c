/* notify_text.c - the line that `systemctl status` shows.
 * Pure.  Owns the form of the line: the phase, the pools as ready/wanted, the number of the configuration.  It always fits:
 * pools at the end are counted instead.
 * Called by the master when something in it changes, and by notify.c.  Must not know where the numbers come from. */
#include "daemon/host/notify_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TAIL_MAX = 64 }; /* " and N more; config N" with the largest numbers */

static size_t format_pool(const struct notify_text_pool *pool, const char *separator, char *text,
                          size_t size)
{
    int len =
        snprintf(text, size, "%s%s %u/%u%s%s", separator, pool->name, pool->ready, pool->count,
                 pool->note == NULL ? "" : " ", pool->note == NULL ? "" : pool->note);
    return (size_t)len;
}

void notify_text_format(const char *phase, const struct notify_text_pool *pools, size_t count,
                        uint64_t config, char text[NOTIFY_TEXT_MAX])
{
    size_t room = NOTIFY_TEXT_MAX - TAIL_MAX;
    size_t len = (size_t)snprintf(text, room, "%s", phase);
    len = len < room ? len : room - 1;
    size_t shown = 0;
    while (shown < count) {
        size_t more = format_pool(&pools[shown], shown == 0 ? ": " : ", ", text + len, room - len);
        if (more >= room - len) {
            text[len] = '\0'; /* a part of a pool would mislead */
            break;
        }
        len += more;
        shown++;
    }
    if (shown < count) {
        len += (size_t)snprintf(text + len, NOTIFY_TEXT_MAX - len, " and %zu more", count - shown);
    }
    if (config > 0) {
        (void)snprintf(text + len, NOTIFY_TEXT_MAX - len, "; config %llu",
                       (unsigned long long)config);
    }
}

void notify_text_clean(const char *text, char ret_clean[NOTIFY_TEXT_MAX])
{
    size_t len = 0;
    while (len < NOTIFY_TEXT_MAX - 1 && text[len] != '\0') {
        bool is_control = (unsigned char)text[len] < ' ' || text[len] == 0x7f;
        ret_clean[len] = text[len];
        if (is_control) {
            ret_clean[len] = ' ';
        }
        len++;
    }
    while (text[len] != '\0' && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
        len--; /* half a character of UTF-8 would cost the whole line */
    }
    ret_clean[len] = '\0';
}
