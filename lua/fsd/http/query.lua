-- The query of a URL from a table: { q = "a b", tag = { "x", "y" } } -> "?q=a%20b&tag=x&tag=y", names in their order.
local function escape(text)
  return (tostring(text):gsub("[^%w%-_%.!~%*'%(%)]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function add(parts, name, value)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    error(("app:url: query \"%s\" must be a text or a number, got %s"):format(name, kind), 0)
  end
  parts[#parts + 1] = escape(name) .. "=" .. escape(value)
end

return function(query)
  local names, parts = {}, {}
  for name in pairs(query) do
    if type(name) ~= "string" then error("app:url: names in a query must be strings", 0) end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = query[name]
    if type(value) == "table" then
      for _, one in ipairs(value) do add(parts, name, one) end
    else
      add(parts, name, value)
    end
  end
  return #parts == 0 and "" or "?" .. table.concat(parts, "&")
end
