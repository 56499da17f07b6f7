#ifndef FSD_COMMON_SOURCE_NAME_H
#define FSD_COMMON_SOURCE_NAME_H

#include <stdbool.h>

/* Whether a file of an application belongs to its bundle: *.lua, *.tpl and *.etlua wherever they lie, and below `views/` also
 * html, htm, xml, txt, md, json, css, js, svg and mustache.  path is relative to the application's folder, with '/'. */
bool source_name_is_code(const char *path);
/* Whether a file of that name can belong to one, wherever it lies. */
bool source_name_may_be_code(const char *name);

#endif
