#ifndef FSD_WORKER_TOOL_ROUTES_H
#define FSD_WORKER_TOOL_ROUTES_H

struct runtime;

/* `fsd-worker --tool routes [--json] FILE`: prints the routes of an application.  The runtime has its modules.  Returns the process's
 * exit code. */
int tool_routes(struct runtime *runtime, int argc, char **argv);

#endif
