-- fsd.mw.network: addresses and networks as texts: IPv4, IPv6, and IPv4 within IPv6, which is the same as IPv4.
--   network.parse("10.0.0.0/8") -> { bytes, bits } or nil      network.list(texts) -> function(parsed) -> boolean
--   network.prefix("2001:db8::1", 64) -> text of the network that it is in, for keys
local M = {}

local MAPPED = "\0\0\0\0\0\0\0\0\0\0\255\255"

local function parse_v4(text)
  local a, b, c, d = text:match "^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$"
  if not a then return nil end
  local bytes = {}
  for i, part in ipairs { a, b, c, d } do
    if #part > 1 and part:sub(1, 1) == "0" then return nil end -- octal for some, decimal for others
    local byte = tonumber(part)
    if byte > 255 then return nil end
    bytes[i] = string.char(byte)
  end
  return table.concat(bytes)
end

-- "1:2" -> bytes, or nil; the last group may be an IPv4 address
local function parse_groups(text, may_end_in_v4)
  local parts = {}
  if text == "" then return "" end
  local at = 1
  while true do
    local group, rest = text:match("^([^:]*)(:?)", at)
    local is_last = rest == ""
    if is_last and may_end_in_v4 and group:find(".", 1, true) then
      local v4 = parse_v4(group)
      if not v4 then return nil end
      parts[#parts + 1] = v4
    elseif group:find "^%x%x?%x?%x?$" then
      local number = tonumber(group, 16)
      parts[#parts + 1] = string.char(number >> 8, number & 255)
    else
      return nil
    end
    if is_last then return table.concat(parts) end
    at = at + #group + 1
  end
end

local function parse_v6(text)
  text = text:gsub("%%[%w_.-]+$", "") -- the zone of a link-local address
  local left, right = text:match "^(.-)::(.*)$"
  if not left then
    local bytes = parse_groups(text, true)
    return bytes and #bytes == 16 and bytes or nil
  end
  if right:find("::", 1, true) then return nil end
  local front, back = parse_groups(left, false), parse_groups(right, true)
  if not front or not back or #front + #back > 14 then return nil end
  return front .. ("\0"):rep(16 - #front - #back) .. back
end

function M.parse(text)
  if type(text) ~= "string" or #text > 64 then return nil end
  local address, bits = text:match "^([^/]+)/(%d%d?%d?)$"
  address = address or text
  local v4 = parse_v4(address)
  local bytes = v4 and MAPPED .. v4 or parse_v6(address)
  if not bytes then return nil end
  local most = v4 and 32 or 128
  bits = bits and tonumber(bits) or most
  if bits > most then return nil end
  return { bytes = bytes, bits = v4 and bits + 96 or bits }
end

local function cut(bytes, bits)
  local whole = bits // 8
  local rest = bits % 8
  if rest == 0 then return bytes:sub(1, whole) end
  return bytes:sub(1, whole) .. string.char(bytes:byte(whole + 1) & (255 << (8 - rest)) & 255)
end

function M.list(texts)
  local networks = {}
  for i, text in ipairs(type(texts) == "string" and { texts } or texts) do
    local parsed = M.parse(text)
    networks[i] = { bits = parsed.bits, bytes = cut(parsed.bytes, parsed.bits) }
  end
  return function(address)
    for _, one in ipairs(networks) do
      if cut(address.bytes, one.bits) == one.bytes then return true end
    end
    return false
  end
end

-- Addresses of one network give one text; IPv4 addresses are themselves.
function M.prefix(text, bits)
  local parsed = M.parse(text)
  if not parsed then return text end
  if parsed.bytes:sub(1, 12) == MAPPED then return ("%d.%d.%d.%d"):format(parsed.bytes:byte(13, 16)) end
  local bytes = cut(parsed.bytes, bits)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) .. "/" .. bits
end

return M
