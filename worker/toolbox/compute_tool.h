#ifndef FSD_WORKER_TOOLBOX_COMPUTE_TOOL_H
#define FSD_WORKER_TOOLBOX_COMPUTE_TOOL_H

/* `fsd-worker --tool compute PID`: the helper of the worker with that pid.  Ends when the worker closes the socket, or ends. */
int tool_compute(int argc, char **argv);

#endif
