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

-- What res:on was given, and the task that waits for the end of each such request.
local listeners_of = setmetatable({}, { __mode = "k" })

local function tell(listeners, outcome)
  for _, fn in ipairs(listeners) do
    local ok, err = xpcall(fn, errors.traceback, outcome)
    if not ok then
      require("fsd.log"):error("error in a function of res:on: " .. tostring(err.message), { traceback = err.traceback })
    end
  end
end

local function wait(ending, listeners)
  pcall(own.wait_ending, ending) -- also when the worker leaves just then
  local outcome = own.read_ending(ending)
  if outcome.complete then tell(listeners.finish, outcome) end
  tell(listeners.close, outcome)
end

-- res:on("finish"|"close", function(outcome) end): when the answer has left, or the request is over however it ended
function Response:on(event, fn)
  if event ~= "finish" and event ~= "close" then
    error("res:on: there are the events \"finish\" and \"close\"", 2)
  end
  check_type("on", 2, fn, "function")
  local listeners = listeners_of[self]
  if not listeners then
    listeners = { finish = {}, close = {} }
    listeners_of[self] = listeners
    local ending = own.ending(self)
    require("fsd.task").spawn(wait, ending, listeners)
  end
  table.insert(listeners[event], fn)
  return self
end
