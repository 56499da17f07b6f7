#ifndef FSD_DAEMON_CONF_CONF_FILES_H
#define FSD_DAEMON_CONF_CONF_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct conf_replacement;
struct problem_list;
struct source;

enum { CONF_FILES_MAX = 256 };

/* Reads file and then every .yaml file of conf.d beside it, in the byte order of the names;
 * replacement (may be NULL) stands in for one of them, or is one more.  What could not be read was
 * reported; false then.  The caller frees the sources in either case. */
bool conf_files_read(const char *file, const struct conf_replacement *replacement,
                     struct source *ret_sources[CONF_FILES_MAX], size_t *ret_count,
                     struct problem_list *list);

#endif
