/* proc_log.c - passes a worker's log records on to the daemon's log.
 * Owns proc->log_fd and its event source.  Each packet is decoded with bounds, gets the worker's name and goes to the log;
 * a flood is read in small parts at low priority, so that it can't keep the master from its work: the socket fills
 * up and the worker drops and counts.  Called by proc.c.  Must not know what the records mean. */
#include "daemon/proc/proc_log.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/proto.h"
#include "daemon/log/log.h"
#include "daemon/proc/proc.h"

enum {
    RECORDS_PER_TURN = 32,
    RECORDS_AT_END = 4096, /* more than a socket's buffer holds */
    LOG_PRIORITY = SD_EVENT_PRIORITY_NORMAL + 10,
};

static void pass_on(struct proc *proc, const void *packet, size_t len)
{
    struct log *log = proc->setting->log;
    struct log_record record;
    uint64_t dropped = 0;
    struct fsd_err err;
    if (log_record_decode(packet, len, &record, &dropped, &err) < 0) {
        if (!proc->log_was_malformed) {
            proc->log_was_malformed = true;
            log_write(log, LOG_LEVEL_WARNING, &proc->subject, err.text, NULL);
        }
        return;
    }
    if (dropped > 0) {
        log_count_lost(log, &proc->subject, dropped);
    }
    record.subject = proc->subject;
    (void)log_put(log, &record); /* a line that is lost is counted */
}

/* Reads at most limit records; false when no more will come. */
static bool read_records(struct proc *proc, int limit)
{
    unsigned char packet[PROTO_LOG_MAX];
    for (int i = 0; i < limit; i++) {
        ssize_t len = recv(proc->log_fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
        if (len <= 0) {
            return len < 0 && (errno == EAGAIN || errno == EINTR);
        }
        size_t whole = (size_t)len;
        pass_on(proc, packet, whole <= sizeof(packet) ? whole : 0); /* 0 bytes are malformed */
    }
    return true;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)fd;
    (void)events;
    struct proc *proc = userdata;
    if (!read_records(proc, RECORDS_PER_TURN)) {
        proc_log_close(proc);
    }
    return 0;
}

int proc_log_open(struct proc *proc)
{
    int error = sd_event_add_io(proc->setting->loop, &proc->log_source, proc->log_fd, EPOLLIN,
                                on_readable, proc);
    return error < 0 ? error : sd_event_source_set_priority(proc->log_source, LOG_PRIORITY);
}

void proc_log_close(struct proc *proc)
{
    proc->log_source = sd_event_source_disable_unref(proc->log_source);
    fd_close(&proc->log_fd);
}

void proc_log_read_rest(struct proc *proc)
{
    if (proc->log_fd >= 0) {
        (void)read_records(proc, RECORDS_AT_END);
    }
}
