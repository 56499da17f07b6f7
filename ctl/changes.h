#ifndef FSD_CTL_CHANGES_H
#define FSD_CTL_CHANGES_H

#include <jansson.h>

struct output;

/* What a new configuration changes, as plan, apply, rollback, scale and reload tell it. */

/* A table of the changes; nothing when there are none.  0, -EPROTO: they are no list of changes; -ENOMEM. */
int changes_render(const json_t *changes, const struct output *output);
/* The whole result of what has applied a configuration (fsd.apply/1): the table, and from where to where.  As above. */
int changes_render_apply(const json_t *result, const struct output *output);

#endif
