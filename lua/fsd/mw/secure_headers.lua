-- fsd.mw.secure_headers: what browsers should not do with our pages; the headers and defaults of helmet.  Each option is false (not
-- sent), a string (sent so), or as its row says.
local options = require "fsd.mw.options"

local NONCE_BYTES = 18

local CSP = {
  default_src = { "'self'" }, base_uri = { "'self'" }, font_src = { "'self'", "https:", "data:" }, form_action = { "'self'" },
  frame_ancestors = { "'self'" }, img_src = { "'self'", "data:" }, object_src = { "'none'" }, script_src = { "'self'" },
  script_src_attr = { "'none'" }, style_src = { "'self'", "https:", "'unsafe-inline'" }, upgrade_insecure_requests = {},
}
local CSP_ORDER = {
  "default_src", "base_uri", "font_src", "form_action", "frame_ancestors", "img_src", "object_src", "script_src", "script_src_attr",
  "style_src", "upgrade_insecure_requests",
}
local MORE_DIRECTIVES = {
  "child_src", "connect_src", "frame_src", "manifest_src", "media_src", "prefetch_src", "report_to", "report_uri",
  "require_trusted_types_for", "sandbox", "script_src_elem", "style_src_attr", "style_src_elem", "trusted_types", "worker_src",
  "fenced_frame_src", "navigate_to", "block_all_mixed_content",
}

-- Rows of plain headers: option, header, default, values that are allowed (nil: any).
local PLAIN = {
  { "cross_origin_embedder_policy", "cross-origin-embedder-policy", false, { "require-corp", "credentialless", "unsafe-none" } },
  { "cross_origin_opener_policy", "cross-origin-opener-policy", "same-origin", { "same-origin", "same-origin-allow-popups", "unsafe-none" } },
  { "cross_origin_resource_policy", "cross-origin-resource-policy", "same-origin", { "same-origin", "same-site", "cross-origin" } },
  { "origin_agent_cluster", "origin-agent-cluster", "?1", { "?1", "?0" } },
  { "referrer_policy", "referrer-policy", "no-referrer" },
  { "x_content_type_options", "x-content-type-options", "nosniff", { "nosniff" } },
  { "x_dns_prefetch_control", "x-dns-prefetch-control", "off", { "off", "on" } },
  { "x_download_options", "x-download-options", "noopen", { "noopen" } },
  { "x_frame_options", "x-frame-options", "SAMEORIGIN", { "SAMEORIGIN", "DENY" } },
  { "x_permitted_cross_domain_policies", "x-permitted-cross-domain-policies", "none",
    { "none", "master-only", "by-content-type", "all" } },
  { "x_xss_protection", "x-xss-protection", "0" },
  { "permissions_policy", "permissions-policy", false },
}

local ROWS = {
  content_security_policy = { "table|string|false", {}, check = options.header_text },
  csp_report_only = { "boolean", false },
  csp_use_defaults = { "boolean", true },
  strict_transport_security = { "table|string|false", {}, check = options.header_text },
}
for _, row in ipairs(PLAIN) do
  local one_of = row[4] and options.one_of(false, true, table.unpack(row[4]))
  ROWS[row[1]] = { "string|boolean", row[3], check = function(value)
    return options.header_text(value) or one_of and one_of(value) or row[3] == false and value == true and "must be a string or false" or nil
  end }
end

local HSTS_ROWS = {
  max_age = { "integer", 31536000, check = options.at_least(0) },
  include_subdomains = { "boolean", true },
  preload = { "boolean", false },
}

local function to_hsts(value)
  if type(value) ~= "table" then return value end
  local o = options.read("fsd.mw.secure_headers: strict_transport_security", value, HSTS_ROWS, 3)
  return ("max-age=%d%s%s"):format(o.max_age, o.include_subdomains and "; includeSubDomains" or "", o.preload and "; preload" or "")
end

local function check_directive(name, sources)
  local what = "fsd.mw.secure_headers: content_security_policy: " .. name
  if sources == false then return end
  if type(sources) == "string" then sources = { sources } end
  if type(sources) ~= "table" or options.texts()(sources) then error(what .. " must be a list of sources, or false", 4) end
  for _, source in ipairs(sources) do
    if source:find "[;,%c\127]" then error(("%s: a source must not have \";\", \",\" or control characters, got %q"):format(what, source), 4) end
    local bare = source:lower()
    if bare == "self" or bare == "none" or bare == "nonce" or bare == "unsafe-inline" or bare == "unsafe-eval" or bare == "strict-dynamic"
      or bare:find "^nonce%-" or bare:find "^sha%d+%-" then
      error(("%s: write %q with quotes: \"'%s'\""):format(what, source, source), 4)
    end
  end
end

-- The parts of the policy in front of and behind each nonce.
local function to_csp(directives, use_defaults)
  local all, order = {}, {}
  local known = {}
  for _, name in ipairs(CSP_ORDER) do
    known[#known + 1] = name
    if use_defaults then
      all[name] = CSP[name]
      order[#order + 1] = name
    end
  end
  for _, name in ipairs(MORE_DIRECTIVES) do known[#known + 1] = name end
  local is_known, more = {}, {}
  for _, name in ipairs(known) do is_known[name] = true end
  for name, sources in pairs(directives) do
    if not is_known[name] then
      error(("fsd.mw.secure_headers: content_security_policy: unknown directive \"%s\"%s"):format(
        tostring(name), options.meant(name, known)), 3)
    end
    check_directive(name, sources)
    if all[name] == nil then more[#more + 1] = name end
    all[name] = type(sources) == "string" and { sources } or sources
  end
  table.sort(more)
  table.move(more, 1, #more, #order + 1, order)
  local parts = {}
  for _, name in ipairs(order) do
    if all[name] then
      local text = name:gsub("_", "-")
      if #all[name] > 0 then text = text .. " " .. table.concat(all[name], " ") end
      parts[#parts + 1] = text
    end
  end
  return table.concat(parts, "; ")
end

local function set_nonce(res, policy)
  local crypto, base64 = require "fsd.crypto", require "fsd.base64"
  local nonce = base64.encode(crypto.random_bytes(NONCE_BYTES))
  res.csp_nonce = nonce
  return (policy:gsub("'nonce'", "'nonce-" .. nonce .. "'"))
end

return function(given)
  local o = options.read("fsd.mw.secure_headers", given, ROWS)
  local headers = {}
  for _, row in ipairs(PLAIN) do
    local value = o[row[1]]
    if value == true then value = row[3] end
    if value then headers[row[2]] = value end
  end
  headers["strict-transport-security"] = to_hsts(o.strict_transport_security) or nil
  local csp_name = o.csp_report_only and "content-security-policy-report-only" or "content-security-policy"
  local csp = o.content_security_policy
  if type(csp) == "table" then csp = to_csp(csp, o.csp_use_defaults) end
  local has_nonce = csp and csp:find("'nonce'", 1, true) ~= nil
  if csp and csp ~= "" and not has_nonce then headers[csp_name] = csp end
  return function(_, res, next)
    res:set(headers)
    if has_nonce then res:set(csp_name, set_nonce(res, csp)) end
    next()
  end
end
