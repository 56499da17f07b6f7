#ifndef FSD_DAEMON_METHOD_STATUS_CODE_H
#define FSD_DAEMON_METHOD_STATUS_CODE_H

#include <jansson.h>

struct master;

/* The member "apps" of fsd.status/1: which code of each runs, has it proved itself, and what was taken back. */
json_t *status_code_describe(const struct master *master);

#endif
