#ifndef FSD_DAEMON_METHOD_PARAMS_H
#define FSD_DAEMON_METHOD_PARAMS_H

#include <jansson.h>

/* The parameters of a call, one after the other; NULL: there is none, or none more.  json_object_iter_key and
 * json_object_iter_value look into what these return. */
void *params_first(const json_t *params);
void *params_next(const json_t *params, void *at);

#endif
