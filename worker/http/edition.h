#ifndef FSD_WORKER_HTTP_EDITION_H
#define FSD_WORKER_HTTP_EDITION_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct fsd_err;
struct generation;
struct plan;

/* The application of one generation, as requests use it. */
struct edition {
    struct app *app;         /* borrowed from Lua, which app_ref keeps alive */
    const struct plan *plan; /* borrowed from the application */
    int app_ref;             /* registry reference of the application */
    int request_ref;         /* of the classes of req and res */
    int response_ref;
    int values_ref;      /* registry reference of the plan's array of values, handlers among them */
    uint64_t generation; /* its number */
    size_t users;        /* requests, and the server while it is the running one */
};

/* Whether what stands on the top is an application; then its routes are built.  -EINVAL with a sentence when it is not: main is
 * the file that returned it. */
int edition_judge(lua_State *L, const char *main, size_t main_len, struct fsd_err *err);
/* The edition of a generation, with one user.  Dies on no memory.  Errors as edition_judge. */
int edition_open(lua_State *L, const struct generation *generation, struct edition **ret_edition,
                 struct fsd_err *err);
struct edition *edition_acquire(struct edition *edition);
/* One user less; the last one frees it, and Lua may collect the application.  NULL is allowed. */
void edition_release(lua_State *L, struct edition *edition);

#endif
