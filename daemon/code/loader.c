/* loader.c - bundles the code of apps, one after another.
 * Owns the bundler and the place where the round stands.  Either every app gets a new candidate generation, or none: the first
 * failure drops the candidates that were made before it, so that nobody can start half a deploy.
 * Called by master.c (first start), restart.c and deploy.c.  Must not know what happens with the candidates. */
#include "daemon/code/loader.h"

#include <assert.h>
#include <string.h>

#include "common/err.h"
#include "common/proto.h"
#include "daemon/log/log.h"
#include "daemon/owner.h"

static void bundle_next(struct loader *loader);

static void fail(struct loader *loader, int exit_code, const char *why)
{
    for (size_t i = 0; i < loader->app_count; i++) {
        bundle_store_abort(&loader->apps[i]->store);
    }
    loader->on_done(loader, exit_code, why);
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
        loader->on_done(loader, FSD_EXIT_OK, NULL);
        return;
    }
    if (bundler_start(&loader->bundler, loader->loop, &loader->tool, loader->apps[loader->at]->path,
                      on_bundled, &err) < 0) {
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
