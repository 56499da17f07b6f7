#ifndef FSD_WORKER_HTTP_BODY_SPOOL_H
#define FSD_WORKER_HTTP_BODY_SPOOL_H

#include <stdint.h>

/* Bodies that are being received are kept in a file that has no name, mapped into memory, from SPOOL_THRESHOLD bytes on: so they
 * are the file system's to write out when memory gets short.  That is a setting of libh2o's, for the whole process. */

enum { SPOOL_THRESHOLD = 1024 * 1024 };

/* Looks for a folder: $TMPDIR, /tmp or /var/tmp.  Where no file can be made, or little is free, bodies stay in memory. */
void spool_open(void);
/* Looks again whether enough is free: a client whose body finds no room is hung up on.  To be called after large bodies. */
void spool_check(void);

#endif
