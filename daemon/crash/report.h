#ifndef FSD_DAEMON_CRASH_REPORT_H
#define FSD_DAEMON_CRASH_REPORT_H

#include <jansson.h>
#include <stdint.h>

#include "daemon/crash/crash_class.h"
#include "daemon/crash/crash_id.h"

struct blackbox;
struct mask;

/* What the master knows of a worker that died.  Everything is borrowed for the call. */
struct crash_input {
    uint64_t at_us; /* wall clock: when the master learned of it */
    struct crash_facts facts;
    const char *why; /* the worker's reason, or how it broke the contract; NULL or "": none */
    const char *pool;
    unsigned slot; /* or CRASH_NO_SLOT */
    int pid;
    uint64_t incarnation;
    uint64_t generation;
    uint64_t uptime_ms;
    uint64_t memory_bytes;           /* resident, as last seen; 0: not known */
    const char *next;                /* what follows: "the standby took its place" */
    const struct blackbox *blackbox; /* NULL: there is none */
    const struct mask *mask;         /* NULL: no secret is known by its value */
};

/* The report, schema fsd.crash/1 (docs/ops/crash-reports.md), the caller's.  NULL when memory is out. */
json_t *report_build(const struct crash_input *input, const char *id);
/* The row of fsd.crashes/1 for a report, perhaps one that somebody else wrote.  NULL when it is none or memory is out. */
json_t *report_summarize(const json_t *report);

#endif
