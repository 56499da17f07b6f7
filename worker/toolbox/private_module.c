/* private_module.c - opens the shared objects that hold what few workers need: libsodium, libjwt.
 * Owns nothing: the dynamic linker keeps what was opened.  They lie in modules/ beside the program, as built and as installed, and
 * each has one symbol, a table of functions with the version of its header.  Called by seal.c, compute_tool.c and mod_jwt.c. */
#include "worker/toolbox/private_module.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "modules/jwt.h"
#include "modules/sodium.h"

/* The folder of the program, with a slash at its end. */
static int find_folder(char folder[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    if (len < 0) {
        return -errno;
    }
    folder[len] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash == NULL) {
        return -ENOENT;
    }
    slash[1] = '\0';
    return 0;
}

static const void *open_module(const char *name, struct fsd_err *err)
{
    char folder[PATH_MAX];
    char path[PATH_MAX + 64];
    char symbol[64];
    if (find_folder(folder) != 0) {
        (void)fsd_err_set(err, ENOENT, "cannot find the folder of the program");
        return NULL;
    }
    (void)snprintf(path, sizeof(path), "%smodules/%s.so", folder, name);
    (void)snprintf(symbol, sizeof(symbol), "fsd_module_%s", name);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const void *table = handle != NULL ? dlsym(handle, symbol) : NULL;
    if (table == NULL) {
        const char *why = dlerror();
        (void)fsd_err_set(err, ENOENT, "cannot open %s.so: %s", name, why != NULL ? why : "empty");
    }
    return table;
}

const struct sodium_module *private_module_sodium(struct fsd_err *err)
{
    const struct sodium_module *module = open_module("sodium", err);
    if (module != NULL && module->version != SODIUM_MODULE_VERSION) {
        (void)fsd_err_set(err, EPROTO, "cannot use sodium.so: it belongs to another fsd-worker");
        return NULL;
    }
    if (module != NULL && module->start() != 0) {
        (void)fsd_err_set(err, EIO, "cannot start libsodium");
        return NULL;
    }
    return module;
}

const struct jwt_module *private_module_jwt(struct fsd_err *err)
{
    const struct jwt_module *module = open_module("jwt", err);
    if (module != NULL && module->version != JWT_MODULE_VERSION) {
        (void)fsd_err_set(err, EPROTO, "cannot use jwt.so: it belongs to another fsd-worker");
        return NULL;
    }
    return module;
}
