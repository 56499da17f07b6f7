#ifndef FSD_DAEMON_CONF_CONF_TEXT_H
#define FSD_DAEMON_CONF_CONF_TEXT_H

#include <stddef.h>

/* One file that a configuration was made of, as it was read: references are still references.  Who
 * owns the members says so where the array is. */
struct conf_text {
    char *path;
    char *text; /* a NUL follows it */
    size_t len;
};

enum { CONF_TEXT_HASH_MAX = 17 };

/* What tells two configurations apart: 16 hexadecimal digits of all paths and texts. */
void conf_text_hash(const struct conf_text *texts, size_t count, char hash[CONF_TEXT_HASH_MAX]);

#endif
