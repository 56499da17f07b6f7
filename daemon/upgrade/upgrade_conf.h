#ifndef FSD_DAEMON_UPGRADE_UPGRADE_CONF_H
#define FSD_DAEMON_UPGRADE_UPGRADE_CONF_H

struct conf;
struct fsd_err;
struct master_options;
struct upgrade_state;

/* The configuration that the state tells, read with this program's eyes: the same apps, listeners and pools in the same order, so that
 * index i of one is index i of the other.  The caller frees it.  Negative errno with a sentence. */
int upgrade_conf_make(const struct upgrade_state *state, const struct master_options *options,
                      struct conf **ret_conf, struct fsd_err *err);

#endif
