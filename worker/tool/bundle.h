#ifndef FSD_WORKER_TOOL_BUNDLE_H
#define FSD_WORKER_TOOL_BUNDLE_H

/* `fsd-worker --tool bundle --app FILE` as common/proto.h says.  Returns the process's exit code. */
int tool_bundle(int argc, char **argv);

#endif
