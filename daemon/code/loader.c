/* loader.c - bundles the code of apps, one after another.
 * Owns the bundler and the place where the round stands.  Where the code lies is found for all apps at the beginning, symbolic
 * links resolved: one that is turned meanwhile (`current -> releases/42`) mixes no two releases.  Either every app gets a new
 * candidate generation, or none: the first failure drops the candidates that were made before it, so that nobody can start half
 * a deploy.
 * Called by master.c (first start), swap.c, restart.c and deploy.c.  Must not know what happens with the candidates. */
#include "daemon/code/loader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/proto.h"
#include "daemon/log/log.h"
#include "daemon/owner.h"

static void bundle_next(struct loader *loader);

static void forget_paths(struct loader *loader)
{
    for (size_t i = 0; i < loader->app_count; i++) {
        free(loader->paths[i]);
        loader->paths[i] = NULL;
    }
}

/* Resolves the paths of all apps.  A path that can't be is NULL: the tool will say why.  True: nothing was different from before. */
static bool resolve(struct loader *loader)
{
    bool is_same = true;
    for (size_t i = 0; i < loader->app_count; i++) {
        char *path = realpath(loader->apps[i]->path, NULL);
        const char *before = loader->paths[i];
        is_same = is_same && (path == NULL) == (before == NULL) &&
                  (path == NULL || strcmp(path, before) == 0);
        free(loader->paths[i]);
        loader->paths[i] = path;
    }
    return is_same;
}

/* Two apps may lie behind one link, and it may be turned between the two: what was seen twice in a row was there at one moment. */
static void find_code(struct loader *loader)
{
    enum { TRIES = 8 };
    (void)resolve(loader);
    for (int i = 0; i < TRIES && !resolve(loader); i++) {
    }
}

static void end(struct loader *loader, int exit_code, const char *why)
{
    forget_paths(loader);
    loader->on_done(loader, exit_code, why);
}

static void fail(struct loader *loader, int exit_code, const char *why)
{
    for (size_t i = 0; i < loader->app_count; i++) {
        bundle_store_abort(&loader->apps[i]->store);
    }
    end(loader, exit_code, why);
}

static void on_bundled(struct bundler *bundler, int exit_code, const struct bundle *bundle)
{
    struct loader *loader = OWNER_OF(bundler, struct loader, bundler);
    if (exit_code != FSD_EXIT_OK) {
        fail(loader, exit_code, bundler->error);
        return;
    }
    struct app *app = loader->apps[loader->at];
    bundle_store_add(&app->store, bundle);
    log_event(loader->log, LOG_LEVEL_INFO, NULL, "code.bundled", "code is bundled",
              LOG_FIELDS(log_text("app", app->name),
                         log_int("generation", (int64_t)app->store.candidate.number),
                         log_int("files", (int64_t)bundle->files),
                         log_int("bytes", (int64_t)bundle->bytes),
                         log_text("sha256", bundle->sha256)));
    loader->at++;
    bundle_next(loader);
}

static void bundle_next(struct loader *loader)
{
    struct fsd_err err = {""};
    if (loader->at == loader->app_count) {
        end(loader, FSD_EXIT_OK, NULL);
        return;
    }
    const char *found = loader->paths[loader->at];
    if (bundler_start(&loader->bundler, loader->loop, &loader->tool,
                      found != NULL ? found : loader->apps[loader->at]->path, on_bundled,
                      &err) < 0) {
        fail(loader, FSD_EXIT_INTERNAL, err.text);
    }
}

void loader_init(struct loader *loader, sd_event *loop, struct log *log,
                 const struct bundler_tool *tool)
{
    *loader = (struct loader){.loop = loop, .log = log, .tool = *tool};
}

void loader_start(struct loader *loader, struct app *const *apps, size_t count, loader_fn on_done)
{
    assert(count <= LOADER_APPS_MAX);
    memcpy(loader->apps, apps, count * sizeof(struct app *));
    loader->app_count = count;
    loader->at = 0;
    loader->on_done = on_done;
    find_code(loader);
    bundle_next(loader);
}

void loader_stop(struct loader *loader)
{
    bundler_kill(&loader->bundler);
}

bool loader_is_idle(const struct loader *loader)
{
    return !loader->bundler.is_running;
}
