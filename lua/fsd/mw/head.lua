-- fsd.mw.head: what several middlewares do to the head of an answer.
local own = require "fsd.http.core".own

local M = {
  before = own.before_head, -- (res, fn): fn() runs right before the head of the answer stands; headers can still be set
  set_method = own.set_method, -- (req, name)
}

-- Adds a name to the header Vary, once.
function M.vary(res, name)
  local value = res:get "vary"
  if value == nil or value == "" then
    res:set("vary", name)
  elseif value ~= "*" and not (", " .. value:lower() .. ","):find(", " .. name:lower() .. ",", 1, true) then
    res:set("vary", value .. ", " .. name)
  end
end

-- Text within double quotes, as in WWW-Authenticate.
function M.quoted(value)
  return '"' .. value:gsub('[\\"]', "\\%0") .. '"'
end

return M
