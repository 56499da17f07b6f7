#ifndef FSD_DAEMON_CONF_FILE_H
#define FSD_DAEMON_CONF_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct fsd_err;

enum { FILE_PATH_MAX = 4096 };

/* Reads one regular file of at most max bytes; a NUL follows the bytes.  The caller frees them.
 * With trusted a file that everybody may write is refused (-EPERM).  err gets only the reason ("No
 * such file or directory"): the caller knows what the file was for. */
int file_read(const char *path, size_t max, bool trusted, char **ret_text, size_t *ret_len,
              struct fsd_err *err);
/* 0 when path is a regular file that this process may read; the reason in err otherwise. */
int file_check_readable(const char *path, struct fsd_err *err);
bool file_is_folder(const char *path);
/* Makes the folder and those above it that are missing, for this user alone.  0 or a negative errno. */
int file_make_folder(const char *path);
/* path as an absolute one (".." and links stay), which the caller frees; NULL: no memory, or the
 * working directory is gone. */
char *file_absolute(const char *path);

#endif
