-- res:render, app:render and app:engine: views with the settings and the values of an application.
-- fsd.template is loaded when it is first used.
local core = require "fsd.http.core"

local App, Response = core.methods "app", core.methods "response"

local engines_of = setmetatable({}, { __mode = "k" }) -- application -> engine by ending

local function add_layer(layers, values)
  if type(values) == "table" and next(values) ~= nil then layers[#layers + 1] = values end
end

-- What an application says about views; one that is mounted in another takes that one's where it says nothing.
local function options_of(app, layers)
  local options = { layers = layers }
  if app ~= nil then
    add_layer(layers, app.locals)
    options.views = app:setting "views"
    options.view_engine = app:setting "view_engine"
    options.view_cache = app:setting "view_cache"
    local owner = app
    while owner ~= nil and options.engines == nil do
      options.engines = engines_of[owner]
      owner = owner.parent
    end
  end
  return options
end

-- app:engine(ending, function(path, values, source) return text end)
function App:engine(ending, fn)
  if type(ending) ~= "string" or not ending:find "^%.?%w+$" then
    error("bad argument #1 to 'engine' (an ending such as \"mustache\" expected)", 2)
  end
  if type(fn) ~= "function" then
    error(("bad argument #2 to 'engine' (function expected, got %s)"):format(type(fn)), 2)
  end
  engines_of[self] = engines_of[self] or {}
  engines_of[self][ending:gsub("^%.", "")] = fn
  return self
end

-- app:render(view [, values]) -> string
function App:render(view, values)
  return require("fsd.template").render(view, values, options_of(self, {}))
end

-- res:render(view [, values]): as text/html, unless a type is set
function Response:render(view, values)
  local layers = {}
  if self.csp_nonce then layers[1] = { csp_nonce = self.csp_nonce } end -- of fsd.mw.secure_headers
  add_layer(layers, self.locals)
  self:send(require("fsd.template").render(view, values, options_of(self.app, layers)))
end
