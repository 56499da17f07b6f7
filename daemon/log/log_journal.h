#ifndef FSD_DAEMON_LOG_LOG_JOURNAL_H
#define FSD_DAEMON_LOG_LOG_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"

struct log_record;

/* Room for the longest record of a worker: every field is in it twice, in the message and by itself. */
enum { LOG_JOURNAL_MAX = 12 * PROTO_LOG_MAX + 16384 };

/* Encodes one record in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).  MESSAGE is what a line of text says
 * after its time and level; FSD_POOL, FSD_SLOT, FSD_PID, FSD_EVENT, FSD_EVENT_ID and one FSD_KEY for each field are there to search
 * for.  Returns the length; a field that does not fit is left out, and of the message the part. */
size_t log_journal_encode(const struct log_record *record, char *packet, size_t size);
/* Is a descriptor with this device and inode what $JOURNAL_STREAM ("device:inode", or NULL) speaks of? */
int log_journal_is_stream(const char *variable, uint64_t device, uint64_t inode);

#endif
