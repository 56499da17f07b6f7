-- Methods of res that arrange calls of others.
local core = require "fsd.http.core"
local errors = require "fsd.error.core"

local Response, own = core.methods "response", core.own

local function check_type(method, index, value, wanted)
  if type(value) ~= wanted then
    error(("bad argument #%d to '%s' (%s expected, got %s)"):format(index, method, wanted, type(value)), 3)
  end
end

-- The forms in order: those of the list as they stand, the named ones by their names, because a table has no order.
local function sort_forms(forms)
  local names, functions = {}, {}
  for name in pairs(forms) do
    if type(name) == "string" and name ~= "default" then names[#names + 1] = name end
  end
  table.sort(names)
  for i, name in ipairs(names) do functions[i] = forms[name] end
  for i, form in ipairs(forms) do
    if type(form) ~= "table" then error("res:format: a form in the list is { name, function }", 3) end
    table.insert(names, i, form[1])
    table.insert(functions, i, form[2])
  end
  return names, functions
end

-- res:format{ html = function(req, res) ... end, json = ..., default = ... }: what the form that the client likes best returns
function Response:format(forms)
  check_type("format", 1, forms, "table")
  local names, functions = sort_forms(forms)
  local index, content_type = own.choose_type(self, names)
  self:vary "Accept"
  if index then
    self:set("content-type", content_type)
    return functions[index](self.req, self)
  end
  if forms.default then return forms.default(self.req, self) end
  error(errors.wrap {
    name = "HttpError", code = "not_acceptable", status = 406, types = names, headers = { vary = self:get "vary" },
    message = "the answer comes in none of the forms that are accepted",
  })
end

-- res:jsonp(value): JSON, or a script that calls the function which the query names with it
function Response:jsonp(value)
  local body, setting = own.encode(self, value, false)
  local callback = self.req.query[setting]
  if type(callback) == "table" then callback = callback[1] end
  callback = type(callback) == "string" and callback:gsub("[^%w_%[%]$.]", "") or ""
  local has_type = self:has "content-type"
  if callback == "" then
    if not has_type then self:set { ["x-content-type-options"] = "nosniff", ["content-type"] = "application/json" } end
    return self:send(body)
  end
  body = own.encode(self, value, true)
  self:set { ["x-content-type-options"] = "nosniff", ["content-type"] = "text/javascript" }
  -- the comment: a file that begins with bytes of the client's choice could pass for one of another kind
  self:send(("/**/ typeof %s === 'function' && %s(%s);"):format(callback, callback, body))
end

-- res:redirect_back([status,] fallback): to the page that the client comes from, if it is one of ours
function Response:redirect_back(status, fallback)
  if fallback == nil then status, fallback = 302, status end
  check_type("redirect_back", 1, fallback, "string")
  local req = self.req
  local referrer = req:get "referer" or req:get "referrer"
  local authority = referrer and referrer:match "^https?://([^/?#]*)"
  local host = req.host or req:get "host"
  local is_ours = authority and host and authority:lower() == host:lower()
  self:redirect(status, is_ours and referrer or fallback)
end

-- res:stream(function(w) w:write(...) end): an answer in pieces, which ends with the function
function Response:stream(fn)
  check_type("stream", 1, fn, "function")
  self:write "" -- the head stands from here on
  fn(self)
  if own.is_streaming(self) then self:finish() end
end

-- res:early_hints{ link = ... }: libh2o 2.2.5 can't send them, and who waits for them would wait for the answer anyway
function Response:early_hints(headers)
  check_type("early_hints", 1, headers, "table")
  local fault = own.header_fault(headers)
  if fault then error("res:early_hints: cannot set a header: " .. fault, 2) end
  return self
end

function Response:hijack()
  error(errors.wrap {
    name = "HttpError", code = "not_supported", status = 501,
    message = "res:hijack is not there yet: it comes with connections of TCP",
  })
end
