-- fsd.mw.openapi: the routes of an application and what their schemas check, as a document of OpenAPI 3.1:
--   app:get("/openapi.json", fsd.mw.openapi { title = "Shop", version = "1.0" })
-- It is made from app:routes() when it is first asked for.  A route of any method has no place in such a document.
local json = require "fsd.json"
local options = require "fsd.mw.options"

local ROWS = { title = { "string" }, version = { "string" }, description = { "string" } }

local METHODS = { GET = true, PUT = true, POST = true, DELETE = true, OPTIONS = true, HEAD = true, PATCH = true }
local NOT_PARAMETERS = { accept = true, ["content-type"] = true, authorization = true } -- says OpenAPI

-- What app:param says -> JSON Schema
local KINDS = {
  integer = { type = "integer", format = "int64" }, number = { type = "number" }, uuid = { type = "string", format = "uuid" },
  slug = { type = "string", pattern = "^[A-Za-z0-9_-]+$" },
}

-- "/a{/:b}" -> "/a/:b", "/a": a group is there or not.  What is escaped must have been hidden.
local function variants(path, found)
  found = found or {}
  local before, inner, after = path:match "^(.-){([^{}]*)}(.*)$"
  if not before then
    found[#found + 1] = path
  else
    variants(before .. inner .. after, found)
    variants(before .. after, found)
  end
  return found
end

-- "/users/:id" -> "/users/{id}", { "id" }
local function to_template(path)
  local names = {}
  local function add(name)
    names[#names + 1] = name
    return "{" .. name .. "}"
  end
  path = path:gsub('[:*]"([^"]+)"', function(name) return "\1" .. name .. "\2" end)
  path = path:gsub("[:*]([%a_][%w_]*)", "\1%1\2"):gsub("\1([^\2]*)\2", add)
  path = path:gsub("\0(%d%d%d)", function(code) return string.char(tonumber(code)) end)
  return path == "" and "/" or path, names
end

local function hide_escaped(path)
  return (path:gsub("\\(.)", function(char) return ("\0%03d"):format(char:byte()) end))
end

local function add_properties(parameters, schema, place)
  local required = {}
  for _, name in ipairs(schema and schema.required or {}) do required[name] = true end
  local names = {}
  for name in pairs(schema and schema.properties or {}) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    if place ~= "header" or not NOT_PARAMETERS[name:lower()] then
      parameters[#parameters + 1] = { name = name, ["in"] = place, required = required[name], schema = schema.properties[name] }
    end
  end
end

local function to_operation(route, names)
  local schemas = route.schemas or {}
  local of_path = schemas.params and schemas.params.properties or {}
  local kinds = route.params or {}
  local parameters = json.array {}
  for _, name in ipairs(names) do
    local schema = of_path[name] or KINDS[kinds[name]] or { type = "string" }
    parameters[#parameters + 1] = { name = name, ["in"] = "path", required = true, schema = schema }
  end
  add_properties(parameters, schemas.query, "query")
  add_properties(parameters, schemas.headers, "header")
  local body = schemas.body
  return {
    parameters = #parameters > 0 and parameters or nil,
    requestBody = body and {
      required = true,
      content = {
        ["application/json"] = { schema = body },
        ["application/x-www-form-urlencoded"] = body.type == "object" and { schema = body } or nil,
      },
    },
    responses = { default = { description = "What the application answers" } },
  }
end

local function to_document(routes, o)
  local paths, named = {}, {}
  for _, route in ipairs(routes) do
    for _, variant in ipairs(METHODS[route.method] and variants(hide_escaped(route.path)) or {}) do
      local path, names = to_template(variant)
      local item = paths[path] or {}
      paths[path] = item
      local method = route.method:lower()
      if not item[method] then -- else another route comes first
        item[method] = to_operation(route, names)
        if route.name and not named[route.name] then
          named[route.name], item[method].operationId = true, route.name
        end
      end
    end
  end
  return {
    openapi = "3.1.0", info = { title = o.title, version = o.version, description = o.description }, paths = paths,
  }
end

return function(given)
  local o = options.read("fsd.mw.openapi", given, ROWS)
  for _, name in ipairs { "title", "version" } do
    if o[name] == nil then error(("fsd.mw.openapi: option %q is missing"):format(name), 2) end
  end
  local documents = setmetatable({}, { __mode = "k" }) -- by application
  return function(req, res)
    local document = documents[req.app] or to_document(req.app:routes(), o)
    documents[req.app] = document
    res:json(document)
  end
end
