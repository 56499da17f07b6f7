-- fsd.http: what applications are made of.  Classes and functions where speed counts stand in C (worker/http/mod_http.c); methods
-- of them that are written in Lua stand in lua/fsd/http/.  Holds no application state.
local core = require "fsd.http.core"

require "fsd.http.all"
require "fsd.http.runner"

local M = {}
for name, value in pairs(core) do M[name] = value end
M.methods, M.own = nil, nil -- for lua/fsd/http/ only

core.own.note_factory(core.static, 'fsd.static("public")')
core.own.note_factory(core.respond, 'fsd.respond("text")')

local abort = require "fsd.http.abort"
M.abort, M.assert = abort.abort, abort.assert

return M
