-- fsd.mw.ip_restriction: who may come, by address: lists of addresses and networks.  It asks req.ip, so behind a proxy `trust_proxy` (or
-- `trusted_proxies` of the configuration) must say which proxies are believed, else the proxy's address is judged.
local errors = require "fsd.error"
local network = require "fsd.mw.network"
local options = require "fsd.mw.options"

local function check_networks(value)
  local fault = options.texts()(value)
  if fault then return fault end
  for _, text in ipairs(type(value) == "string" and { value } or value) do
    if not network.parse(text) then return ("has %q, which is no address or network"):format(text) end
  end
end

local ROWS = {
  allow = { "string|table", check = check_networks },
  deny = { "string|table", {}, check = check_networks },
  status = { "integer", 403, check = options.one_of(401, 403, 404) },
  message = { "string", "this address may not come in" },
  handler = { "callable" },
}

return function(given)
  local o = options.read("fsd.mw.ip_restriction", given, ROWS)
  local allow, deny = o.allow and network.list(o.allow), network.list(o.deny)
  return function(req, res, next)
    local address = network.parse(req.ip or "")
    if address == nil or deny(address) or (allow and not allow(address)) then -- a client without an address (a Unix socket) is a stranger
      if o.handler then return o.handler(req, res, next) end
      error(errors.new { name = "HttpError", code = "ip.refused", status = o.status, message = o.message }, 0)
    end
    next()
  end
end
