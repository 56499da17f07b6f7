/* change.c - the one change of a running worker that waits for the master's COMMIT.
 * Owns what was prepared.  A new configuration is read beside the running one and compared with it: limits, the log level and
 * the number of workers may differ; what the application was given when it was loaded may not, because it has used it already.
 * To commit is to swap the two, so it can't fail.
 * Called by life.c.  Must not know who reads the configuration, nor how the master is answered. */
#include "worker/core/change.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/err.h"

static bool is_same(const void *one, size_t one_len, const void *other, size_t other_len)
{
    return one_len == other_len && (one_len == 0 || memcmp(one, other, one_len) == 0);
}

/* What differs and can't change in a running worker; NULL when nothing does. */
static const char *find_fixed(const struct config *one, const struct config *other)
{
    const struct {
        const char *name;
        bool is_same;
    } rows[] = {
        {"pool", strcmp(one->pool, other->pool) == 0},
        {"app", strcmp(one->app, other->app) == 0},
        {"path", strcmp(one->path, other->path) == 0},
        {"settings",
         is_same(one->settings, one->settings_len, other->settings, other->settings_len)},
        {"env", is_same(one->env, one->env_len, other->env, other->env_len)},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].is_same) {
            return rows[i].name;
        }
    }
    return NULL;
}

int change_prepare(struct change *change, const struct config *running,
                   const struct proto_transaction *wanted, int fd, struct fsd_err *err)
{
    change_fini(change);
    if (wanted->what != PROTO_CHANGE_CONFIG) {
        return fsd_err_set(err, ENOTSUP, "cannot change %" PRIu64 ": no such kind of change",
                           wanted->what);
    }
    int error = config_read(&change->config, fd, err);
    if (error != 0) {
        return error;
    }
    const char *fixed = find_fixed(running, &change->config);
    if (fixed != NULL) {
        change_fini(change);
        return fsd_err_set(err, ENOTSUP, "cannot change \"%s\" in place: it needs a new process",
                           fixed);
    }
    change->is_pending = true;
    change->number = wanted->number;
    return 0;
}

bool change_commit(struct change *change, uint64_t number, struct config *running)
{
    if (!change->is_pending || change->number != number) {
        return false;
    }
    struct config old = *running;
    *running = change->config;
    change->config = old;
    change_fini(change);
    return true;
}

void change_abort(struct change *change, uint64_t number)
{
    if (change->number == number) {
        change_fini(change);
    }
}

void change_fini(struct change *change)
{
    config_fini(&change->config);
    change->is_pending = false;
    change->number = 0;
}
