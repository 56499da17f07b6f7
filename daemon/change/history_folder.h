#ifndef FSD_DAEMON_CHANGE_HISTORY_FOLDER_H
#define FSD_DAEMON_CHANGE_HISTORY_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fsd_err;

/* The numbers of the files NUMBER.json in the folder, the highest first, at most max of them (the highest).  Returns how many; 0 when
 * there is no folder; a negative errno when it can't be read. */
int history_folder_list(const char *folder, uint64_t *ret_numbers, size_t max, struct fsd_err *err);
bool history_folder_has(const char *folder, uint64_t number);
/* Reads one file, which the caller frees; a NUL follows the bytes.  The reason alone is in err. */
int history_folder_read(const char *folder, uint64_t number, char **ret_text, size_t *ret_len,
                        struct fsd_err *err);
/* Writes a new file that nobody else may read, makes the folder (and those above it) when it is missing, and waits until the disk has
 * it.  0: the file is there; err may say all the same that it might not survive a loss of power.  Negative errno: it is not there, and
 * nothing was overwritten (-EEXIST); the reason alone is in err.  err is "" before. */
int history_folder_write(const char *folder, uint64_t number, const char *text,
                         struct fsd_err *err);
/* A file that can't be removed stays. */
void history_folder_remove(const char *folder, uint64_t number);

#endif
