#ifndef FSD_DAEMON_CODE_APP_H
#define FSD_DAEMON_CODE_APP_H

#include "common/proto.h"
#include "daemon/code/bundle.h"

/* One application and its code. */
struct app {
    char name[PROTO_NAME_MAX];
    char *path; /* owned; absolute path of the main file, as the configuration that runs has it */
    struct bundle_store store;
};

#endif
