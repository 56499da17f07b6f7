#ifndef FSD_DAEMON_CONF_CONF_STATE_H
#define FSD_DAEMON_CONF_CONF_STATE_H

/* The default of state.path where the environment has one ($STATE_DIRECTORY): the caller frees
 * *ret_path, which is NULL when it has none.  0 or -ENOMEM. */
int conf_state_from_environment(char **ret_path);
/* The folder for `fsd run`: the user's own; NULL: no memory.  The caller frees it. */
char *conf_state_for_run(void);

#endif
