#ifndef FSD_DAEMON_CONF_CONF_SHOW_TEXT_H
#define FSD_DAEMON_CONF_CONF_SHOW_TEXT_H

#include <stddef.h>

struct yaml_node;

#define CONF_SHOW_TEXT_SECRET "***"

/* One line of UTF-8 that a terminal can show: anything else becomes an escape such as "\n" or
 * "\x1b".  NULL: no memory.  The caller frees it. */
char *conf_show_text_escape(const char *text, size_t len);
/* A value of an application: a scalar as it is, a list as [a, b], a map as {k: v}; what came from a
 * reference is CONF_SHOW_TEXT_SECRET.  NULL: no memory.  The caller frees it. */
char *conf_show_text_format(const struct yaml_node *node);

#endif
