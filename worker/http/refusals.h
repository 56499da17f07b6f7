#ifndef FSD_WORKER_HTTP_REFUSALS_H
#define FSD_WORKER_HTTP_REFUSALS_H

#include "worker/core/ration.h"

struct runtime;

/* Requests that were refused before any code of the application's saw them, as the log is told; embedded in the service. */
struct refusals {
    struct runtime *runtime; /* borrowed */
    struct ration ration;
    int status;         /* of the last one */
    const char *reason; /* static */
};

void refusals_init(struct refusals *refusals, struct runtime *runtime);
void refusals_fini(struct refusals *refusals);
/* The reason is a literal. */
void refusals_note(struct refusals *refusals, int status, const char *reason);

#endif
