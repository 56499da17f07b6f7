-- fsd.mw.language: which of the languages that there are a client gets: what it chose (query, cookie), else what its browser prefers.
local head = require "fsd.mw.head"
local options = require "fsd.mw.options"

local ROWS = {
  supported = { "table", required = true, check = options.texts("^[%a%d-]+$", "languages such as \"en\" or \"de-CH\"") },
  fallback = { "string" },
  query = { "string|false", "lang" },
  cookie = { "string|false", "lang" },
  header = { "boolean", true },
}

-- What the client named as one of ours, in any case.
local function find(by_name, name)
  return type(name) == "string" and by_name[name:lower()] or nil
end

return function(given)
  local o = options.read("fsd.mw.language", given, ROWS)
  local by_name, supported = {}, o.supported
  for _, language in ipairs(supported) do by_name[language:lower()] = language end
  if #supported == 0 then error("fsd.mw.language: option \"supported\" is empty", 2) end
  local fallback = o.fallback or supported[1]
  if not by_name[fallback:lower()] then error("fsd.mw.language: option \"fallback\" must be one of those supported", 2) end
  return function(req, res, next)
    local language = o.query and find(by_name, req.query[o.query]) or o.cookie and find(by_name, req.cookies[o.cookie])
    if not language and o.header then
      head.vary(res, "Accept-Language")
      if req:get "accept-language" then language = req:accepts_languages(table.unpack(supported)) end
    end
    req.language = language or fallback
    res:set("content-language", req.language)
    next()
  end
end
