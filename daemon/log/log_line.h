#ifndef FSD_DAEMON_LOG_LOG_LINE_H
#define FSD_DAEMON_LOG_LOG_LINE_H

#include <stddef.h>

#include "common/proto.h"

struct log_buf;
struct log_record;

enum log_form { LOG_FORM_TEXT, LOG_FORM_COLOUR, LOG_FORM_JSON };

/* Room for the longest record of a worker when every byte of it has to be escaped with six. */
enum { LOG_LINE_MAX = 6 * PROTO_LOG_MAX + 8192 };

/* Renders one record with its newline.  Nothing that a terminal would obey is in it; in the text form further lines of one
 * record are indented, so that no record can look like another.  Returns the length; a record that does not fit
 * is cut (its newline is there all the same). */
size_t log_line_format(const struct log_record *record, enum log_form form, char *line,
                       size_t size);
/* What a line of text says after its time and level, for where somebody else adds these and the master's name: who, unless it
 * is the master, message and fields. */
void log_line_put_words(struct log_buf *buf, const struct log_record *record);

#endif
