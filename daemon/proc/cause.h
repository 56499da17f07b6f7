#ifndef FSD_DAEMON_PROC_CAUSE_H
#define FSD_DAEMON_PROC_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

/* How a process ended. */
struct cause {
    bool is_signal;
    int value; /* exit code or signal number */
};

enum { CAUSE_TEXT_MAX = 96 };

/* "exited with code 3", "killed by signal 11 (Segmentation fault)", and for code 0 of a process that nobody had told to leave
 * "exited with code 0 without being asked to". */
void cause_format(const struct cause *cause, bool asked, char text[CAUSE_TEXT_MAX]);

#endif
