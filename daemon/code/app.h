#ifndef FSD_DAEMON_CODE_APP_H
#define FSD_DAEMON_CODE_APP_H

#include "common/proto.h"
#include "daemon/code/bundle.h"
#include "daemon/code/probation.h"

enum { APP_WHY_MAX = 256 };

/* What the daemon did by itself because a generation was not fit to run.  {0}: nothing. */
struct app_setback {
    uint64_t from;         /* the generation that tripped the restart limit; 0: none did */
    uint64_t to;           /* what took its place, under its new number; 0: nothing has yet */
    uint64_t at_us;        /* wall clock: when it tripped */
    char why[APP_WHY_MAX]; /* a sentence */
};

/* One application and its code. */
struct app {
    char name[PROTO_NAME_MAX];
    char *path; /* owned; absolute path of the main file, as the configuration that runs has it */
    struct bundle_store store;
    struct probation probation; /* setback.c's, as the next */
    /* told until an operator brings other code, or confirms what runs */
    struct app_setback setback;
};

#endif
