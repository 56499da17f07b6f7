#ifndef FSD_DAEMON_CONF_YAML_PLACE_H
#define FSD_DAEMON_CONF_YAML_PLACE_H

#include <stdbool.h>
#include <yaml.h>

#include "daemon/conf/problem.h"

/* Where an event was written; of a list or map only the first character. */
struct problem_place yaml_place_of(const struct source *source, const yaml_event_t *event);
/* Reports why the parser stopped, in words that do not need the YAML specification. */
void yaml_place_report(const yaml_parser_t *parser, const struct source *source,
                       struct problem_list *list);

#endif
