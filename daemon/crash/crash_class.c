/* crash_class.c - what the end of a worker was: the verdict, and its words for people.
 * Owns nothing.  What the master did itself is a row: which ends it explains, and what they are called then.  An end that
 * it does not explain speaks for itself.  Nothing is guessed: a SIGKILL of somebody else counts as the kernel's only as
 * far as the cgroup's count of kills goes, since the kernel does not say whom it killed.
 * Called by the master for each dead worker of a sweep, and by report.c.  Pure. */
#include "daemon/crash/crash_class.h"

#include <stdio.h>

/* The same on every Linux; <signal.h> is for those who send signals. */
enum { SIGNAL_ABORT = 6, SIGNAL_KILL = 9 };

struct deed_row {
    enum crash_deed deed;
    bool explains_leaving; /* exit code 0 */
    bool explains_kill;    /* SIGKILL */
    bool explains_abort;   /* SIGABRT */
    enum crash_class class;
    const char *words;
};

static const struct deed_row deeds[] = {
    {CRASH_DEED_NONE, false, false, false, CRASH_EXIT, ""},
    {CRASH_DEED_TOLD, true, false, false, CRASH_REQUESTED, "left as it was told"},
    {CRASH_DEED_STOPPED, true, true, false, CRASH_REQUESTED,
     "killed by fsd, which was told to stop it"},
    {CRASH_DEED_HANG, false, true, true, CRASH_HANG,
     "killed by fsd: it hung, its heartbeat had stopped"},
    {CRASH_DEED_BOOT_TIMEOUT, false, true, true, CRASH_BOOT_TIMEOUT,
     "killed by fsd: it was not ready in time"},
    {CRASH_DEED_SHUTDOWN_TIMEOUT, false, true, true, CRASH_SHUTDOWN_TIMEOUT,
     "killed by fsd: it did not leave in time"},
    {CRASH_DEED_PROTOCOL, false, true, true, CRASH_PROTOCOL,
     "killed by fsd: it broke the contract with the master"},
    {CRASH_DEED_REFUSED, true, true, true, CRASH_BOOT, "could not load the code"},
};
_Static_assert(sizeof(deeds) / sizeof(deeds[0]) == CRASH_DEEDS, "a row for each deed");

static const char *const names[] = {
    "exit",         "signal",           "oom",      "oom_possible", "hang", "boot",
    "boot_timeout", "shutdown_timeout", "protocol", "requested",    "lost",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == CRASH_CLASSES, "a name for each class");

static const char *const state_names[] = {"booting", "standby", "serving", "draining"};

/* The row of what we did, NULL when that does not explain the end. */
static const struct deed_row *find_explanation(const struct crash_facts *facts)
{
    const struct deed_row *row = &deeds[facts->deed];
    const struct cause *cause = &facts->cause;
    bool is_explained = facts->deed == CRASH_DEED_REFUSED; /* its exit code says nothing more */
    if (cause->is_signal) {
        is_explained = (cause->value == SIGNAL_KILL && row->explains_kill) ||
                       (cause->value == SIGNAL_ABORT && row->explains_abort);
    } else if (cause->value == 0) {
        if (facts->deed == CRASH_DEED_SHUTDOWN_TIMEOUT) {
            row = &deeds[CRASH_DEED_TOLD]; /* it left just before the kill arrived */
        }
        is_explained = row->explains_leaving;
    }
    return is_explained ? row : NULL;
}

bool crash_class_is_unexplained(const struct crash_facts *facts)
{
    return facts->is_reaped && facts->cause.is_signal && facts->cause.value == SIGNAL_KILL &&
           find_explanation(facts) == NULL;
}

static enum crash_class judge_kill(const struct crash_facts *facts)
{
    if (!facts->is_oom_counted || facts->oom_kills == 0) {
        return CRASH_SIGNAL;
    }
    return facts->oom_kills >= facts->unexplained ? CRASH_OOM : CRASH_OOM_POSSIBLE;
}

enum crash_class crash_class_get(const struct crash_facts *facts)
{
    if (!facts->is_reaped) {
        return CRASH_LOST;
    }
    const struct deed_row *explanation = find_explanation(facts);
    if (explanation != NULL) {
        return explanation->class;
    }
    enum crash_class class = CRASH_EXIT;
    if (facts->cause.is_signal) {
        class = crash_class_is_unexplained(facts) ? judge_kill(facts) : CRASH_SIGNAL;
    }
    bool is_plain = class == CRASH_EXIT || class == CRASH_SIGNAL;
    return is_plain && facts->state == CRASH_BOOTING ? CRASH_BOOT : class;
}

const char *crash_class_name(enum crash_class class)
{
    return names[class];
}

const char *crash_class_state_name(enum crash_state state)
{
    return state_names[state];
}

/* What is known about who sent a SIGKILL that is not ours. */
static void format_kill(const struct crash_facts *facts, enum crash_class class, const char *cause,
                        char text[CRASH_CLASS_TEXT_MAX])
{
    unsigned long long kills = facts->oom_kills;
    if (class == CRASH_OOM) {
        (void)snprintf(text, CRASH_CLASS_TEXT_MAX,
                       "killed by the kernel: out of memory (oom_kill of the cgroup rose by %llu)",
                       kills);
    } else if (class == CRASH_OOM_POSSIBLE) {
        (void)snprintf(
            text, CRASH_CLASS_TEXT_MAX,
            "%s, possibly by the kernel for lack of memory (oom_kill of the cgroup rose by %llu, "
            "%u workers died so at once)",
            cause, kills, facts->unexplained);
    } else {
        (void)snprintf(text, CRASH_CLASS_TEXT_MAX, "%s, not by fsd; %s", cause,
                       facts->is_oom_counted
                           ? "the cgroup counted no kill for lack of memory that explains it"
                           : "whether for lack of memory is unknown, no cgroup counts that");
    }
}

void crash_class_format(const struct crash_facts *facts, char text[CRASH_CLASS_TEXT_MAX])
{
    if (!facts->is_reaped) {
        (void)snprintf(text, CRASH_CLASS_TEXT_MAX, "gone; the system could not say how it ended");
        return;
    }
    char cause[CAUSE_TEXT_MAX];
    cause_format(&facts->cause, facts->deed != CRASH_DEED_NONE, cause);
    const struct deed_row *explanation = find_explanation(facts);
    if (explanation != NULL) {
        (void)snprintf(text, CRASH_CLASS_TEXT_MAX, "%s", explanation->words);
        return;
    }
    char words[CRASH_CLASS_TEXT_MAX];
    if (crash_class_is_unexplained(facts)) {
        format_kill(facts, crash_class_get(facts), cause, words);
    } else {
        (void)snprintf(words, sizeof(words), "%s", cause);
    }
    (void)snprintf(text, CRASH_CLASS_TEXT_MAX, "%.200s%s", words,
                   facts->state == CRASH_BOOTING ? " before it was ready" : "");
}
