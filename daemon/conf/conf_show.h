#ifndef FSD_DAEMON_CONF_CONF_SHOW_H
#define FSD_DAEMON_CONF_CONF_SHOW_H

struct conf;

/* All texts are valid only during the call. */
typedef void (*conf_show_fn)(void *ctx, const char *key, const char *value, const char *origin);

/* Calls show for every key with its value, in the order of the schema: "pools.web.count", "4", and
 * where it comes from: "/etc/fsd/fsd.yaml:12:5", "default", "override" (set by an operator) or "run"
 * (made by `fsd run`).  Secrets are "***"; control characters are shown as escapes.
 * 0, or -ENOMEM when something may be missing. */
int conf_show(const struct conf *conf, conf_show_fn show, void *ctx);

#endif
