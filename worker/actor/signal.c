/* signal.c - what an exit signal does to an actor: OTP's rules as rows.
 * Pure: no system call, no clock, no Lua.  Called by life.c for every exit signal.
 * Must not know how an actor ends or how a message reaches it. */
#include "worker/actor/signal.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* A reason "kill" is special only in a signal that somebody sent; an actor that died of it is for its links like any other
 * that failed. */
static const struct row {
    enum signal_kind kind;
    enum signal_reason reason;
    enum signal_action plain; /* for an actor that does not trap exits */
    enum signal_action trapping;
} rows[] = {
    {SIGNAL_EXIT, SIGNAL_REASON_NORMAL, SIGNAL_IGNORE, SIGNAL_DELIVER},
    {SIGNAL_EXIT, SIGNAL_REASON_KILL, SIGNAL_KILL, SIGNAL_KILL},
    {SIGNAL_EXIT, SIGNAL_REASON_OTHER, SIGNAL_END, SIGNAL_DELIVER},
    {SIGNAL_SELF, SIGNAL_REASON_NORMAL, SIGNAL_END, SIGNAL_DELIVER},
    {SIGNAL_SELF, SIGNAL_REASON_KILL, SIGNAL_KILL, SIGNAL_KILL},
    {SIGNAL_SELF, SIGNAL_REASON_OTHER, SIGNAL_END, SIGNAL_DELIVER},
    {SIGNAL_LINK, SIGNAL_REASON_NORMAL, SIGNAL_IGNORE, SIGNAL_DELIVER},
    {SIGNAL_LINK, SIGNAL_REASON_KILL, SIGNAL_END, SIGNAL_DELIVER},
    {SIGNAL_LINK, SIGNAL_REASON_OTHER, SIGNAL_END, SIGNAL_DELIVER},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };
_Static_assert(ROW_COUNT == (int)SIGNAL_KIND_COUNT * (int)SIGNAL_REASON_COUNT,
               "a row for each pair");

enum signal_action signal_decide(enum signal_kind kind, enum signal_reason reason, bool traps)
{
    size_t index = (size_t)kind * SIGNAL_REASON_COUNT + (size_t)reason;
    assert(index < ROW_COUNT && rows[index].kind == kind && rows[index].reason == reason);
    return traps ? rows[index].trapping : rows[index].plain;
}

enum signal_reason signal_classify(const char *reason)
{
    if (reason == NULL) {
        return SIGNAL_REASON_OTHER;
    }
    if (strcmp(reason, "normal") == 0) {
        return SIGNAL_REASON_NORMAL;
    }
    return strcmp(reason, "kill") == 0 ? SIGNAL_REASON_KILL : SIGNAL_REASON_OTHER;
}
