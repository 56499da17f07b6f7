#ifndef FSD_WORKER_ACTOR_NODE_REMOTE_LOST_H
#define FSD_WORKER_ACTOR_NODE_REMOTE_LOST_H

struct remote;

/* All that leads to that worker ends with "noconnection": links, monitors, calls, waits for room. */
void remote_lost(struct remote *remote);

#endif
