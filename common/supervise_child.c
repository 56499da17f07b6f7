/* supervise_child.c - the life of one supervised child, as rows.
 * Owns the table and what follows from a row: the lists that a child is in, and the two counts of children that are
 * not idle.  A child that was ordered to start ends in exactly one of RUNNING, IGNORED, FAILED; its news (DIED, RETRYING)
 * wait in a queue until the supervisor gets to them, and go unread when it is stopped before that.
 * Called by supervise.c with what happened to a child, and by supervise_next.c with what it is to do.
 * Pure.  Must not know strategies, restart types or time (supervise_next.c). */
#include "common/supervise_child.h"

#include <stddef.h>

#include "common/supervise.h"

static const struct supervise_row rows[] = {
    {SUPERVISE_ABSENT, SUPERVISE_ADD, SUPERVISE_IDLE, SUPERVISE_DO_JOIN},

    {SUPERVISE_IDLE, SUPERVISE_REMOVE, SUPERVISE_ABSENT, SUPERVISE_DO_LEAVE},
    {SUPERVISE_IDLE, SUPERVISE_START, SUPERVISE_STARTING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_IDLE, SUPERVISE_SETTLE, SUPERVISE_IDLE, SUPERVISE_DO_NOTHING},

    {SUPERVISE_STARTING, SUPERVISE_ON_DELAYED, SUPERVISE_DELAYED, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STARTING, SUPERVISE_ON_STARTED, SUPERVISE_RUNNING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STARTING, SUPERVISE_ON_IGNORED, SUPERVISE_IGNORED, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STARTING, SUPERVISE_ON_FAILED, SUPERVISE_FAILED, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STARTING, SUPERVISE_ON_EXITED, SUPERVISE_FAILED, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STARTING, SUPERVISE_STOP, SUPERVISE_STOPPING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STARTING, SUPERVISE_KILL, SUPERVISE_KILLING, SUPERVISE_DO_NOTHING},

    {SUPERVISE_DELAYED, SUPERVISE_ON_DELAYED, SUPERVISE_DELAYED, SUPERVISE_DO_NOTHING},
    {SUPERVISE_DELAYED, SUPERVISE_ON_STARTED, SUPERVISE_RUNNING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_DELAYED, SUPERVISE_ON_IGNORED, SUPERVISE_IGNORED, SUPERVISE_DO_NOTHING},
    {SUPERVISE_DELAYED, SUPERVISE_ON_FAILED, SUPERVISE_FAILED, SUPERVISE_DO_NOTHING},
    {SUPERVISE_DELAYED, SUPERVISE_ON_EXITED, SUPERVISE_FAILED, SUPERVISE_DO_NOTHING},
    {SUPERVISE_DELAYED, SUPERVISE_STOP, SUPERVISE_STOPPING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_DELAYED, SUPERVISE_KILL, SUPERVISE_KILLING, SUPERVISE_DO_NOTHING},

    {SUPERVISE_RUNNING, SUPERVISE_ON_EXITED, SUPERVISE_DIED, SUPERVISE_DO_QUEUE},
    {SUPERVISE_RUNNING, SUPERVISE_STOP, SUPERVISE_STOPPING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_RUNNING, SUPERVISE_KILL, SUPERVISE_KILLING, SUPERVISE_DO_NOTHING},

    {SUPERVISE_IGNORED, SUPERVISE_SETTLE, SUPERVISE_IDLE, SUPERVISE_DO_NOTHING},

    {SUPERVISE_FAILED, SUPERVISE_SETTLE, SUPERVISE_IDLE, SUPERVISE_DO_NOTHING},
    {SUPERVISE_FAILED, SUPERVISE_RETRY, SUPERVISE_RETRYING, SUPERVISE_DO_QUEUE},

    {SUPERVISE_DIED, SUPERVISE_SETTLE, SUPERVISE_IDLE, SUPERVISE_DO_UNQUEUE},

    {SUPERVISE_RETRYING, SUPERVISE_SETTLE, SUPERVISE_IDLE, SUPERVISE_DO_UNQUEUE},

    /* What came of the start may cross the order to end. */
    {SUPERVISE_STOPPING, SUPERVISE_ON_DELAYED, SUPERVISE_STOPPING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STOPPING, SUPERVISE_ON_STARTED, SUPERVISE_STOPPING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STOPPING, SUPERVISE_ON_IGNORED, SUPERVISE_IDLE, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STOPPING, SUPERVISE_ON_FAILED, SUPERVISE_IDLE, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STOPPING, SUPERVISE_ON_EXITED, SUPERVISE_IDLE, SUPERVISE_DO_NOTHING},
    {SUPERVISE_STOPPING, SUPERVISE_KILL, SUPERVISE_KILLING, SUPERVISE_DO_NOTHING},

    {SUPERVISE_KILLING, SUPERVISE_ON_DELAYED, SUPERVISE_KILLING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_KILLING, SUPERVISE_ON_STARTED, SUPERVISE_KILLING, SUPERVISE_DO_NOTHING},
    {SUPERVISE_KILLING, SUPERVISE_ON_IGNORED, SUPERVISE_IDLE, SUPERVISE_DO_NOTHING},
    {SUPERVISE_KILLING, SUPERVISE_ON_FAILED, SUPERVISE_IDLE, SUPERVISE_DO_NOTHING},
    {SUPERVISE_KILLING, SUPERVISE_ON_EXITED, SUPERVISE_IDLE, SUPERVISE_DO_NOTHING},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const char *const state_names[] = {
    "absent", "idle", "starting", "delayed",  "running", "ignored",
    "failed", "died", "retrying", "stopping", "killing",
};
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == SUPERVISE_STATES, "one a state");

static const char *const event_names[] = {
    "add",   "remove",  "start",   "stop",    "kill",   "settle",
    "retry", "delayed", "started", "ignored", "failed", "exited",
};
_Static_assert(sizeof(event_names) / sizeof(event_names[0]) == SUPERVISE_EVENTS, "one an event");

const struct supervise_row *supervise_child_find(enum supervise_state state,
                                                 enum supervise_event event)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].state == state && rows[i].event == event) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool is_active(enum supervise_state state)
{
    return state != SUPERVISE_ABSENT && state != SUPERVISE_IDLE;
}

static void carry_out(struct supervise *supervise, uint32_t id, enum supervise_effect effect)
{
    switch (effect) {
    case SUPERVISE_DO_NOTHING:
        break;
    case SUPERVISE_DO_JOIN:
        supervise_list_append(&supervise->order, supervise->children, id);
        break;
    case SUPERVISE_DO_LEAVE:
        supervise_list_remove(&supervise->order, supervise->children, id);
        break;
    case SUPERVISE_DO_QUEUE:
        supervise_list_append(&supervise->queue, supervise->children, id);
        break;
    case SUPERVISE_DO_UNQUEUE:
        supervise_list_remove(&supervise->queue, supervise->children, id);
        break;
    }
}

bool supervise_child_step(struct supervise *supervise, uint32_t id, enum supervise_event event)
{
    struct supervise_child *child = &supervise->children[id];
    const struct supervise_row *row = supervise_child_find(child->state, event);
    if (row == NULL) {
        return false;
    }
    if (is_active(row->next) && !is_active(row->state)) {
        supervise->active++;
        supervise->significant += child->spec.is_significant;
    } else if (!is_active(row->next) && is_active(row->state)) {
        supervise->active--;
        supervise->significant -= child->spec.is_significant;
    }
    carry_out(supervise, id, row->effect);
    child->state = row->next;
    return true;
}

const char *supervise_child_state_name(enum supervise_state state)
{
    return state_names[state];
}

const char *supervise_child_event_name(enum supervise_event event)
{
    return event_names[event];
}
