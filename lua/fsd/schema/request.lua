-- fsd.schema.request: a request against schemas, before its handler runs.  What is checked stands in req.valid: { body, query, params,
-- headers }.  All problems of all parts are told at once.
local body = require "fsd.http.body"
local json = require "fsd.json"
local errors = require "fsd.error"
local described = require "fsd.schema.described"
local fail = require "fsd.schema.fail"
local options = require "fsd.mw.options"
local schema = require "fsd.schema"

local PARTS = { "params", "query", "headers", "body" }

local function fail_type()
  error(errors.new {
    name = "ValidationError", code = "validation.type", status = 415, message = "send application/json or a form",
  }, 0)
end

local function parse(req, name)
  req.body = body.parsers[name](req, body.defaults[name], "fsd.body." .. name) -- who lifts the limit
  return req.body
end

-- The body as a value, and whether it has strings only.  What was parsed before counts as it is, so its parser may have other limits.
local function read_body(req)
  local kind = (req:get "content-type" or ""):match("^%s*([^;%s]*)"):lower()
  local is_form = kind == "application/x-www-form-urlencoded"
  if type(req.body) == "table" then return req.body, is_form or kind == "multipart/form-data" end
  if kind == "application/json" or kind:find "^application/[%w.-]+%+json$" then return parse(req, "json"), false end
  if is_form then return parse(req, "form"), true end
  if kind == "" and req:text() == "" then return nil, false end
  fail_type()
end

local READERS = {
  params = function(req) return req.params, true end,
  query = function(req) return req.query, true end,
  headers = function(req) return req.headers, true end,
  body = read_body,
}

local function to_schemas(parts, level)
  if type(parts) ~= "table" then error("fsd.schema.handler: a table of schemas expected", level + 1) end
  local schemas = {}
  for name, value in pairs(parts) do
    if not READERS[name] then
      error(("fsd.schema.handler: unknown part %q%s"):format(tostring(name), options.meant(name, PARTS)), level + 1)
    end
    schemas[name] = schema.is(value) and value or schema.new(value, nil, level + 2)
  end
  return schemas
end

return function(parts, level)
  local schemas = to_schemas(parts, level)
  local function check(req, _, next)
    local valid, problems = {}, nil
    for _, name in ipairs(PARTS) do
      if schemas[name] then
        local value, coerce = READERS[name](req)
        local found
        valid[name], found = schemas[name]:check(value, { coerce = coerce })
        for _, problem in ipairs(found or {}) do
          problems = problems or json.array {}
          problem.source = name
          problems[#problems + 1] = problem
        end
      end
    end
    if problems then fail(problems) end
    req.valid = valid
    next()
  end
  described.note(check, schemas)
  return check
end
