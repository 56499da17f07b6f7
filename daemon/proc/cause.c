/* cause.c - how a process ended, in words for the log and for status.
 * Owns nothing.  One function, so that the log line, the status row and the answer of a failed reload say the same.
 * Called by proc.c and bundler.c with what the kernel reported.  Pure. */
#include "daemon/proc/cause.h"

#include <stdio.h>
#include <string.h>

void cause_format(const struct cause *cause, bool asked, char text[CAUSE_TEXT_MAX])
{
    if (cause->is_signal) {
        const char *name = sigdescr_np(cause->value);
        (void)snprintf(text, CAUSE_TEXT_MAX, "killed by signal %d (%s)", cause->value,
                       name == NULL ? "unknown" : name);
        return;
    }
    (void)snprintf(text, CAUSE_TEXT_MAX, "exited with code %d%s", cause->value,
                   cause->value == 0 && !asked ? " without being asked to" : "");
}
