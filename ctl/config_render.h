#ifndef FSD_CTL_CONFIG_RENDER_H
#define FSD_CTL_CONFIG_RENDER_H

#include <jansson.h>

struct output;

/* The results of config.* for people.  All: 0, -EPROTO: it makes no sense; -ENOMEM. */
int config_render_check(const json_t *result, const struct output *output);
int config_render_plan(const json_t *result, const struct output *output);
/* Of config.show: keys and values, and where each was written. */
int config_render_values(const json_t *result, const struct output *output);
int config_render_origins(const json_t *result, const struct output *output);
int config_render_diff(const json_t *result, const struct output *output);
int config_render_history(const json_t *result, const struct output *output);

#endif
