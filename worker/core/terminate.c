/* terminate.c - SIGTERM, which only asks: the worker tells the master and goes on.
 * Owns an eventfd, which is all that the handler touches.  Not a signalfd: for that the signal would have to be blocked, and what
 * an application starts with io.popen would inherit this and could not be terminated.
 * Called by life.c.  Must not know what leaving is. */
#include "worker/core/terminate.h"

#include <errno.h>
#include <h2o.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "worker/core/loop.h"

static volatile sig_atomic_t event = -1; /* the descriptor */

static void on_signal(int number)
{
    (void)number;
    int error = errno; /* of whatever was interrupted */
    (void)eventfd_write(event, 1);
    errno = error;
}

static void close_event(struct terminate *terminate, struct loop *loop)
{
    (void)signal(SIGTERM, SIG_IGN);
    watch_remove(loop, &terminate->watch);
    (void)close(event); /* nothing is lost in it */
    event = -1;
}

static void on_event(struct watch *watch, uint32_t events)
{
    (void)events;
    struct terminate *terminate = H2O_STRUCT_FROM_MEMBER(struct terminate, watch, watch);
    uint64_t count = 0;
    if (eventfd_read(event, &count) == 0 && !terminate->was_told) {
        terminate->was_told = true;
        terminate->on_told(terminate);
    }
}

int terminate_open(struct terminate *terminate, struct loop *loop,
                   void (*on_told)(struct terminate *terminate))
{
    *terminate = (struct terminate){.on_told = on_told};
    terminate->watch.fd = -1;
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) {
        return -errno;
    }
    int error = watch_add(loop, &terminate->watch, event, EPOLLIN, on_event);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (error != 0 || sigaction(SIGTERM, &action, NULL) != 0) {
        close_event(terminate, loop);
        return error != 0 ? error : -errno;
    }
    return 0;
}

void terminate_close(struct terminate *terminate, struct loop *loop)
{
    if (event >= 0) {
        close_event(terminate, loop);
    }
}
