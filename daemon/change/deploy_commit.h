#ifndef FSD_DAEMON_CHANGE_DEPLOY_COMMIT_H
#define FSD_DAEMON_CHANGE_DEPLOY_COMMIT_H

struct master;

/* From here on the next configuration is the running one, and deploy.next is the old one. */
void deploy_commit(struct master *master);
/* Takes back what pools were told to prepare. */
void deploy_commit_drop(struct master *master);

#endif
