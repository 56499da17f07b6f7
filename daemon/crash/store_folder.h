#ifndef FSD_DAEMON_CRASH_STORE_FOLDER_H
#define FSD_DAEMON_CRASH_STORE_FOLDER_H

#include <stddef.h>

struct fsd_err;

enum { STORE_FOLDER_FILE_MAX = 512 << 10 }; /* bytes of one file; a larger one is none of ours */

/* Writes ID.json, replacing one of that name, in the folder path, which is made when it is missing (as is its parent); both are for
 * us alone then.  Nothing is left behind on failure: a negative errno with a sentence. */
int store_folder_write(const char *path, const char *id, const char *text, size_t len,
                       struct fsd_err *err);
/* The text of ID.json, *ret_len bytes, the caller's.  NULL, and the sentence, when there is no such regular file or it is too long. */
char *store_folder_read(const char *path, const char *id, size_t *ret_len, struct fsd_err *err);
/* Removes ID.json; one that is gone already is fine. */
int store_folder_remove(const char *path, const char *id);
/* Calls on_found with each id of a file that is named like a report, in no order. */
void store_folder_scan(const char *path, void (*on_found)(void *owner, const char *id),
                       void *owner);

#endif
