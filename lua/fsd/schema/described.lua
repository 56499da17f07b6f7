-- fsd.schema.described: what the handlers that fsd.schema has made check, as JSON Schema, for app:routes().
local made = setmetatable({}, { __mode = "k" }) -- handler -> its schemas by part

local M = {}

function M.note(handler, schemas)
  made[handler] = schemas
end

-- { body = { type = "object", ... } }, nil for any other function
function M.tell(handler)
  local schemas = made[handler]
  if not schemas then return nil end
  local described = {}
  for part, schema in pairs(schemas) do described[part] = schema:json_schema() end
  return described
end

return M
