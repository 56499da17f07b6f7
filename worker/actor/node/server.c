/* server.c - the server of this worker: the actor that stands for the worker itself.
 * Owns nothing; which actor it is stands in struct actors.  A pid with the place 0 names a worker; what is sent to it comes to the server,
 * so that workers can talk to each other knowing no more than that they exist.  It hears when others come and go.
 * Called by mod_core.c, remote.c, and for its start by life.c.  Must not know what servers say to each other (lua/fsd/node). */
#include "worker/actor/node/server.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/post.h"

#define MODULE "fsd.node.server"

enum { RETRY_MS = 1000, MAILBOX_COUNT = 10000, MAILBOX_BYTES = 16 << 20 };

static void on_end(struct actors *actors);

static void start(struct actors *actors)
{
    struct actor_options options = {.mailbox_count = MAILBOX_COUNT, .mailbox_bytes = MAILBOX_BYTES};
    lua_pushnil(actors->runtime->L);
    actor_spawn(actors->runtime->L, MODULE, &options)->on_end = on_end;
}

static void on_retry(struct timer *timer)
{
    struct actors *actors = H2O_STRUCT_FROM_MEMBER(struct actors, server_retry, timer);
    if (!actors->is_stopping) {
        start(actors);
    }
}

/* Nothing else restarts it: what it knew of the others is told again to the next one. */
static void on_end(struct actors *actors)
{
    if (!actors->is_stopping) {
        logger_write(&actors->runtime->logger, LOG_LEVEL_ERROR,
                     "what connects this worker with the others has failed: starting it again");
        loop_set_timer(&actors->runtime->loop, &actors->server_retry, RETRY_MS, on_retry);
    }
}

void server_start(struct runtime *runtime)
{
    struct actors *actors = runtime->actors;
    if (actors != NULL && actors->server == NULL && runtime->slot >= 0 && runtime->link != NULL) {
        start(actors);
    }
}

void server_set(struct actors *actors, struct actor *actor)
{
    actors->server = actor;
}

static void push_worker(lua_State *L, const struct remote *remote)
{
    static const struct frame_actor itself = {0};
    struct pid pid = remote_pid(remote, &itself);
    pid_push(L, &pid);
}

static void push_pool(lua_State *L, const struct remote *remote)
{
    lua_pushlstring(L, remote->body.pool, strnlen(remote->body.pool, sizeof(remote->body.pool)));
}

void server_push_members(lua_State *L, const struct actors *actors)
{
    lua_Integer count = 0;
    lua_newtable(L);
    for (const struct remote *remote = actors->remotes.first; remote != NULL;
         remote = remote->next) {
        if (!remote_serves(remote) || remote->has_gone) {
            continue;
        }
        lua_createtable(L, 0, 4);
        push_worker(L, remote);
        lua_setfield(L, -2, "pid");
        lua_pushinteger(L, (lua_Integer)remote->body.incarnation);
        lua_setfield(L, -2, "incarnation");
        lua_pushinteger(L, (lua_Integer)remote->body.slot);
        lua_setfield(L, -2, "slot");
        push_pool(L, remote);
        lua_setfield(L, -2, "pool");
        lua_rawseti(L, -2, ++count);
    }
}

void server_tell(const struct remote *remote, bool is_up)
{
    struct actors *actors = remote->remotes->actors;
    lua_State *L = actors->runtime->L;
    if (actors->server == NULL || actors->server->is_exiting) {
        return;
    }
    lua_createtable(L, 5, 0);
    lua_pushliteral(L, "$member");
    lua_rawseti(L, -2, 1);
    lua_pushstring(L, is_up ? "up" : "down");
    lua_rawseti(L, -2, 2);
    push_worker(L, remote);
    lua_rawseti(L, -2, 3);
    lua_pushinteger(L, (lua_Integer)remote->body.slot);
    lua_rawseti(L, -2, 4);
    push_pool(L, remote);
    lua_rawseti(L, -2, 5);
    post_signal(actors->server, L);
}
