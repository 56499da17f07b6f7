-- fsd: the one entry.  `local fsd = require "fsd"`; the modules fsd.json, fsd.log ... are its fields too, loaded
-- when they are first used.  Holds no application state: it is loaded once per worker, outside of generations.
local http = require "fsd.http"
local errors = require "fsd.error"
local task = require "fsd.task"

local fsd = {
  app = http.app,
  router = http.router,
  compose = require "fsd.http.runner".compose,
  respond = http.respond,
  static = http.static,
  error = errors,
  try = errors.try,
  check = errors.check,
  now = task.now,
  state = require "fsd.task.core".state,
}

return setmetatable(fsd, {
  __index = function(self, name)
    if type(name) ~= "string" then return nil end
    local found, module = pcall(require, "fsd." .. name)
    if not found then
      if package.searchpath("fsd." .. name, package.path) or package.preload["fsd." .. name] then
        error(module, 2) -- it is there and failed to load: say why
      end
      return nil
    end
    rawset(self, name, module)
    return module
  end,
})
