#ifndef FSD_CTL_STATUS_NOTE_H
#define FSD_CTL_STATUS_NOTE_H

#include <jansson.h>
#include <stdbool.h>

enum { STATUS_NOTE_MAX = 4096 };

/* What must be said below a worker's row of the status (NULL: the pool's own), in one or more lines: why it waits, and below the
 * last row of a pool why that does not serve.  "": nothing. */
void status_note_format(const json_t *pool, const json_t *worker, bool is_last,
                        char note[STATUS_NOTE_MAX]);
/* What must be said of an app's code: it was not fit to run and was taken back, or is about to be.  "": nothing. */
void status_note_format_setback(const json_t *app, char note[STATUS_NOTE_MAX]);

#endif
