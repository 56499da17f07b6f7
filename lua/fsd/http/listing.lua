-- The routes of an application as text, for `fsd routes`: a table with aligned columns, or JSON.
local core = require "fsd.http.core"
local json = require "fsd.json"

local HEAD = { "METHOD", "PATH", "NAME", "WHERE" }

local function row_of(route)
  return { route.method, route.path, route.name or "-", route.where }
end

local function align(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, utf8.len(cell) or #cell) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      cells[i] = i == #row and cell or cell .. (" "):rep(widths[i] - (utf8.len(cell) or #cell))
    end
    lines[#lines + 1] = table.concat(cells, "  ")
  end
  return table.concat(lines, "\n") .. "\n"
end

return function(app, as_json)
  core.own.freeze(app)
  local routes = app:routes()
  if as_json then return json.encode { routes = setmetatable(routes, json.array_mt) } .. "\n" end
  local rows = { HEAD }
  for i, route in ipairs(routes) do rows[i + 1] = row_of(route) end
  return align(rows)
end
