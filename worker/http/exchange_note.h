#ifndef FSD_WORKER_HTTP_EXCHANGE_NOTE_H
#define FSD_WORKER_HTTP_EXCHANGE_NOTE_H

#include <stddef.h>

struct exchange;
struct logger_record;
struct task;

/* For the owner of its task: it is about to run; and what it is ("GET /path"). */
void exchange_note_run(struct task *task);
void exchange_note_task(const struct task *task, char *text, size_t room);
/* Adds to a log record which request it is about: method, path, request_id, handler. */
void exchange_note_record(struct exchange *exchange, struct logger_record *record);
/* Logs that its task was ended by force, with that status. */
void exchange_note_end(struct exchange *exchange, int status);

#endif
