#ifndef FSD_COMMON_SUPERVISE_H
#define FSD_COMMON_SUPERVISE_H

#include <stdint.h>

/* The rules of OTP's supervisor (erlang.org/doc/man/supervisor), as a pure module. */

/* Which children are restarted when one of them ends. */
enum supervise_strategy {
    SUPERVISE_ONE_FOR_ONE,  /* that one */
    SUPERVISE_ONE_FOR_ALL,  /* all of them */
    SUPERVISE_REST_FOR_ONE, /* that one, and those that were started after it */
};

enum supervise_restart {
    SUPERVISE_PERMANENT, /* always */
    SUPERVISE_TRANSIENT, /* only when it ended abnormally */
    SUPERVISE_TEMPORARY, /* never; its specification is forgotten */
};

/* How long a child may take to end: milliseconds, or one of these. */
#define SUPERVISE_BRUTAL_KILL 0
#define SUPERVISE_INFINITY    UINT32_MAX

#endif
