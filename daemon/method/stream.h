#ifndef FSD_DAEMON_METHOD_STREAM_H
#define FSD_DAEMON_METHOD_STREAM_H

#include <jansson.h>
#include <systemd/sd-event.h>

struct control_call;
struct log_hub;

/* Those who follow the log or the events over the control socket. */
struct stream_table;

/* The hub is borrowed, and watched until stream_close.  0 or negative errno. */
int stream_open(struct stream_table **ret_streams, sd_event *loop, struct log_hub *hub);
/* Sends what has come so far and lets go of all followers; to be called while their connections are open.  NULL is allowed. */
void stream_close(struct stream_table *streams);

/* The control methods `events` and `logs`: answer the call, and let it follow if that is asked for. */
void stream_run_events(struct stream_table *streams, struct control_call *call,
                       const json_t *params);
void stream_run_logs(struct stream_table *streams, struct control_call *call, const json_t *params);

#endif
