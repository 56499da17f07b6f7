#ifndef FSD_TEST_SUPPORT_NOTIFIED_H
#define FSD_TEST_SUPPORT_NOTIFIED_H

/* A fixture: a service manager, and the daemon's end of its socket.  Include cmocka.h before this. */

#include "daemon/host/notify.h"
#include "test/support/service_manager.h"

struct fixture {
    struct service_manager manager;
    struct notify notify;
};

static inline int set_up(void **state)
{
    static struct fixture fixture;
    service_manager_open(&fixture.manager, "notify");
    assert_int_equal(notify_open(&fixture.notify, fixture.manager.name, NULL), 0);
    *state = &fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    notify_close(&fixture->notify);
    service_manager_close(&fixture->manager);
    return 0;
}

#endif
