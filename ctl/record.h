#ifndef FSD_CTL_RECORD_H
#define FSD_CTL_RECORD_H

#include <jansson.h>

struct output;

/* One record of the log, or one event, as in the log's text form: time, level, who, message, key=value; text of several
 * lines follows, indented.  An event has its name before who. */
void record_print(const json_t *record, const struct output *output);
void record_print_event(const json_t *event, const struct output *output);

#endif
