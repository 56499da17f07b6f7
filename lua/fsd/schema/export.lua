-- fsd.schema.export: a schema as JSON Schema (2020-12), which is what OpenAPI 3.1 has, too.
local json = require "fsd.json"

local M = {}

local function with_bounds(schema, node, min, max)
  schema[min], schema[max] = node.min, node.max
end

local BY_KIND = {
  any = function() end,
  boolean = function(schema) schema.type = "boolean" end,
  string = function(schema, node)
    schema.type, schema.format = "string", node.format
    with_bounds(schema, node, "minLength", "maxLength")
  end,
  integer = function(schema, node)
    schema.type = "integer"
    with_bounds(schema, node, "minimum", "maximum")
  end,
  number = function(schema, node)
    schema.type = "number"
    with_bounds(schema, node, "minimum", "maximum")
  end,
  list = function(schema, node)
    schema.type, schema.items, schema.uniqueItems = "array", M.node(node.of), node.unique
    with_bounds(schema, node, "minItems", "maxItems")
  end,
  map = function(schema, node)
    schema.type, schema.additionalProperties, schema.maxProperties = "object", M.node(node.of), node.max
  end,
  object = function(schema, node)
    schema.type, schema.properties = "object", {}
    local required = json.array {}
    for _, name in ipairs(node.names) do
      local field = node.fields[name]
      schema.properties[name] = M.node(field)
      if not field.optional and field.default == nil then required[#required + 1] = name end
    end
    schema.required = #required > 0 and required or nil
    if node.unknown == "refuse" then schema.additionalProperties = false end
  end,
}

-- A Lua pattern is no regular expression: it is not exported.
function M.node(node)
  local schema = { description = node.description, default = node.default }
  if node.example ~= nil then schema.examples = json.array { node.example } end
  if node.one_of then schema.enum = json.array { table.unpack(node.one_of) } end
  BY_KIND[node.kind](schema, node)
  return schema
end

return M
