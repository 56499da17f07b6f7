-- fsd.worker: which worker process this is.
local core = require "fsd.worker.core"

local M = {}
for name, value in pairs(core) do M[name] = value end

return M
