#ifndef FSD_WORKER_TOOL_BUNDLE_H
#define FSD_WORKER_TOOL_BUNDLE_H

/* `fsd-worker --tool bundle --app FILE` as common/proto.h says.  Returns the process's exit code. */
int tool_bundle(int argc, char **argv);
/* Writes the bundle of an application to a descriptor, and prints nothing unless it fails.  Returns the exit code. */
int tool_bundle_write(const char *app, int fd);

#endif
