-- The work of bench/web.py, as nginx + lua does it; its routes are locations (nginx.conf).
local M = {}
local encode, decode = cjson.encode, cjson.decode
local concat = table.concat

-- with its length, so that it is not sent in chunks
local function send(text)
  ngx.header["Content-Length"] = #text
  ngx.print(text)
end

function M.hello() send("Hello, World!") end

function M.route() send(encode { id = ngx.var[1], post = ngx.var[2] }) end

function M.echo()
  ngx.req.read_body()
  send(encode(decode(ngx.req.get_body_data())))
end

local middlewares = {
  function(ctx) ctx.started = ngx.now() end,
  function(ctx) ngx.header["x-request-id"] = ngx.var.http_x_request_id or "none" end,
  function(ctx)
    ngx.header["x-content-type-options"] = "nosniff"
    ngx.header["x-frame-options"] = "DENY"
    ngx.header["referrer-policy"] = "no-referrer"
  end,
  function(ctx)
    local origin = ngx.var.http_origin
    if origin then ngx.header["access-control-allow-origin"] = origin end
  end,
  function(ctx) ctx.user = ngx.var.http_authorization == "Bearer secret" and "alice" or "guest" end,
}

local function find_rows(user)
  local rows = {}
  for i = 1, 20 do
    rows[i] = { id = i, name = "item " .. i, owner = user, price = i * 3 + 0.25, tags = { "a", "b" }, note = "<fine> & good", ok = i % 2 == 0 }
  end
  return rows
end

local function run()
  local ctx = ngx.ctx
  for i = 1, #middlewares do middlewares[i](ctx) end
  return find_rows(ctx.user), ctx.user
end

function M.rows() send(encode { rows = (run()) }) end

local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }
local function escape(value) return (tostring(value):gsub("[&<>\"']", escapes)) end

function M.page()
  local rows, user = run()
  local out = { "<!doctype html><html><head><title>", escape("Items"), "</title></head><body><p>Hello, ", escape(user), "</p><table>\n" }
  for _, row in ipairs(rows) do
    out[#out + 1] = "<tr><td>"
    out[#out + 1] = escape(row.id)
    out[#out + 1] = "</td><td>"
    out[#out + 1] = escape(row.name)
    out[#out + 1] = "</td><td>"
    out[#out + 1] = escape(row.price)
    out[#out + 1] = "</td><td>"
    out[#out + 1] = escape(row.note)
    out[#out + 1] = "</td>"
    if row.ok then out[#out + 1] = "<td>yes</td>" end
    out[#out + 1] = "</tr>\n"
  end
  out[#out + 1] = "</table></body></html>\n"
  send(concat(out))
end

return M
