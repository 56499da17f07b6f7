#ifndef FSD_DAEMON_DEVELOP_SCAN_H
#define FSD_DAEMON_DEVELOP_SCAN_H

#include <stdbool.h>

struct fsd_err;
struct sources;

enum { SCAN_ENTRIES_MAX = 50000, SCAN_FOLDERS_MAX = 4096, SCAN_DEPTH_MAX = 32 };

/* The files below root (absolute) that are bundled, into ret (the caller's, on success); each folder is watched through
 * inotify_fd from before it is read, so that what changes afterwards is told.  A negative errno with a sentence. */
int scan_folder(const char *root, int inotify_fd, struct sources *ret, struct fsd_err *err);
/* Whether a file or folder of this name matters: no hidden ones, and of the files only what can be code. */
bool scan_is_wanted(const char *name, bool is_folder);

#endif
