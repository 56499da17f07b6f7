#ifndef FSD_DAEMON_UPGRADE_UPGRADE_RESUME_H
#define FSD_DAEMON_UPGRADE_UPGRADE_RESUME_H

#include <stdbool.h>

/* Does the command line say that another fsd wants this program to take its place, or to try? */
bool upgrade_resume_is_asked(int argc, char *const *argv);
/* Does so.  Returns the exit code. */
int upgrade_resume_main(int argc, char *const *argv);

#endif
