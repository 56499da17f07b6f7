/* modules.c - the list of all modules in C, and the only file that knows every area.
 * Owns nothing but the rows.  Each opener runs at the first require of its name.  Called once by main.c. */
#include "worker/modules.h"

#include <lauxlib.h>

#include "worker/actor/children.h"
#include "worker/actor/mod_actor.h"
#include "worker/actor/mod_core.h"
#include "worker/actor/mod_supervise.h"
#include "worker/core/mod_error.h"
#include "worker/http/app/app.h"
#include "worker/http/body/mod_body_core.h"
#include "worker/http/mod_http.h"
#include "worker/lib/declared.h"
#include "worker/lib/mod_config.h"
#include "worker/lib/mod_json.h"
#include "worker/lib/mod_log.h"
#include "worker/lib/mod_task.h"
#include "worker/lib/mod_template.h"
#include "worker/lib/mod_text.h"
#include "worker/lib/mod_timer.h"
#include "worker/lib/mod_worker.h"
#include "worker/shared/mod_shared.h"
#include "worker/toolbox/mod_base64.h"
#include "worker/toolbox/mod_crypto.h"
#include "worker/toolbox/mod_fs.h"
#include "worker/toolbox/mod_hex.h"
#include "worker/toolbox/mod_jwt.h"
#include "worker/toolbox/mod_process.h"
#include "worker/toolbox/mod_time.h"
#include "worker/toolbox/mod_url.h"
#include "worker/toolbox/mod_uuid.h"

static const struct module {
    const char *name;
    lua_CFunction open;
    const char *help;
} rows[] = {
    {"fsd.actor", luaopen_fsd_actor, "actors: messages, links, monitors, names"},
    {"fsd.actor.core", luaopen_fsd_actor_core, "what fsd's modules in Lua need of actors"},
    {"fsd.base64", luaopen_fsd_base64, "bytes as base64"},
    {"fsd.body.core", luaopen_fsd_body_core, "what fsd's modules in Lua need of bodies"},
    {"fsd.config", luaopen_fsd_config, "the application's settings and environment"},
    {"fsd.crypto", luaopen_fsd_crypto, "hashes, random bytes"},
    {"fsd.error.core", luaopen_fsd_error_core, "the class Error, for fsd.error"},
    {"fsd.fs.core", luaopen_fsd_fs_core, "files and folders, for fsd.fs"},
    {"fsd.hex", luaopen_fsd_hex, "bytes as hexadecimal digits"},
    {"fsd.http.core", luaopen_fsd_http_core, "applications, routes and handlers, for fsd.http"},
    {"fsd.json", luaopen_fsd_json, "JSON, strict, with exact 64-bit integers"},
    {"fsd.jwt.core", luaopen_fsd_jwt_core, "keys and signatures, for fsd.jwt"},
    {"fsd.log", luaopen_fsd_log, "structured log records"},
    {"fsd.process", luaopen_fsd_process, "other programs, without waiting for them"},
    {"fsd.shared", luaopen_fsd_shared, "dictionaries in memory that all workers share"},
    {"fsd.supervisor.core", luaopen_fsd_supervisor_core,
     "the rules of supervisors, for fsd.supervisor"},
    {"fsd.task.core", luaopen_fsd_task_core, "tasks and waiting, for fsd.task"},
    {"fsd.template.core", luaopen_fsd_template_core, "files and texts, for fsd.template"},
    {"fsd.text.core", luaopen_fsd_text_core, "texts, for fsd's modules in Lua"},
    {"fsd.time.core", luaopen_fsd_time_core, "dates as text, for fsd.time"},
    {"fsd.timer.core", luaopen_fsd_timer_core, "timers, for fsd.timer"},
    {"fsd.url.core", luaopen_fsd_url_core, "URLs, for fsd.url"},
    {"fsd.uuid", luaopen_fsd_uuid, "UUIDs of versions 4 and 7"},
    {"fsd.worker.core", luaopen_fsd_worker_core, "which worker this is, for fsd.worker"},
};

void modules_register(lua_State *L, const char *lua_dir)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lua_pushcfunction(L, rows[i].open);
        lua_setfield(L, -2, rows[i].name);
    }
    lua_pop(L, 1);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    /* a module beside the working directory would be found in one start and not in the next */
    const char *system_path = luaL_gsub(L, lua_tostring(L, -1), ";./?.lua;./?/init.lua", "");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", lua_dir, lua_dir, system_path);
    lua_setfield(L, -4, "path");
    lua_pop(L, 3);
    log_install_print(L);
    app_add_methods(L, declared_methods);
    app_add_methods(L, children_methods);
}

void modules_print(FILE *file)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)fprintf(file, "%-16s %s\n", rows[i].name, rows[i].help);
    }
}
