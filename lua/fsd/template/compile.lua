-- fsd.template.compile: the text of a template becomes one Lua function.  Each line of the function is the line of the template, so
-- errors name the right one without a table of lines.  What stands between two pieces of code is joined by one `..`, and
-- only loops and conditions append to the list of pieces, which is joined in part when it gets long.
--   compile(source, name) -> function(env, state) -> string; raises an Error "template.syntax"
local errors = require "fsd.error"

local JOINED_MAX = 30 -- operands of one `..`, each of which needs a register
local LONG_TEXT = 4096 -- bytes: it stands in a list, and not in the code, which Lua compiles in one go
local CODE_MAX = 1024 * 1024 -- what load takes
local PIECES_MAX = 4096 -- in the list of pieces, before those of it that are small are joined

-- Where a loop begins: a list of a million pieces would hold up Lua's collector.
local PACK = ("if _n>%d then _n=_s.pack(_o,_n) end "):format(PIECES_MAX)

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n", ["\r"] = "\\r", ["\0"] = "\\0" }

-- Functions that a template may call, each with what it costs to offer it: only those are that are named somewhere.
local OFFERED = {
  { "include", "local function include(n, l) return _s.include(_s, _ENV, n, l) end " },
  { "layout", "local function layout(n, l) return _s.set_layout(_s, n, l) end " },
  { "yield", "local function yield(n, d) return _s.yield(_s, n, d) end " },
  { "capture", "local function capture(f, ...) local o, n = _o, _n _o, _n = {}, 0 f(...) "
    .. "local s = _s.concat(_o, '', 1, _n) _o, _n = o, n return s end " },
  { "block", "local function block(n, f) _s.blocks[n] = capture(f) end ", "capture" },
}

local function fail(name, line, message)
  error(errors.new {
    name = "TemplateError", code = "template.syntax", status = 500, message = ("%s:%d: %s"):format(name, line, message),
  }, 0)
end

local function count_lines(text)
  local count, at = 0, 0
  while true do
    at = text:find("\n", at + 1, true)
    if not at then return count end
    count = count + 1
  end
end

-- What is written so far: `owed` lines have been used up for ends of comments, and are saved where the text has a line break.
local Writer = {}
Writer.__index = Writer

function Writer:put(code) self.parts[#self.parts + 1] = code end

function Writer:break_lines(count)
  local saved = math.min(count, self.owed)
  self.owed = self.owed - saved
  if count > saved then self:put(("\n"):rep(count - saved)) end
end

function Writer:operand(code)
  if self.joined == JOINED_MAX then self:flush() end
  if self.joined == 0 then
    if self.enters_loop then self:put(PACK) end
    self.enters_loop = false
    self:put("_n=_n+1 _o[_n]=")
  else
    self:put("..")
  end
  self:put(code)
  self.joined = self.joined + 1
end

function Writer:flush()
  if self.joined > 0 then self:put(";") end
  self.joined = 0
end

-- Code whose last line may end in a comment is ended by a line break.
function Writer:code(code)
  self:put(code)
  if code:find("%-%-[^\n]*$") then
    self:put("\n")
    self.owed = self.owed + 1
  end
end

function Writer:text(text)
  if text == "" then return end
  if #text < LONG_TEXT then
    self:operand('"' .. text:gsub('[\\"\n\r%z]', ESCAPES) .. '"')
  else
    self.texts[#self.texts + 1] = text
    self:operand("_l[" .. #self.texts .. "]")
  end
  self:break_lines(count_lines(text))
end

local function check_expression(code, name, line)
  if not code:find "%S" then fail(name, line, "the expression is empty") end
  local chunk, message = load("return " .. code, "=x", "t")
  if not chunk then
    local at, why = message:match "^x:(%d+): (.*)$"
    fail(name, line + (tonumber(at) or 1) - 1, why or message)
  end
end

local function may_repeat(code)
  return code:find "%f[%w_]do%f[^%w_]" or code:find "%f[%w_]repeat%f[^%w_]" or code:find "%f[%w_]function%f[^%w_]"
end

local function write_tag(writer, kind, code, name, line)
  if kind == "#" then
    writer:break_lines(count_lines(code))
  elseif kind == "=" or kind == "-" then
    code = code:gsub("[%s;]+$", "", 1)
    check_expression(code, name, line)
    writer:operand(kind == "=" and "_e(" or "_t(")
    writer:code(code)
    writer:put(")")
  else
    writer:flush()
    writer:code(code)
    writer:put(" ")
    writer.enters_loop = writer.enters_loop or may_repeat(code)
  end
end

-- Calls on_text(text) and on_tag(kind, code, line) in order.
local function scan(source, name, on_text, on_tag)
  local at, line = 1, 1
  while true do
    local open = source:find("<%", at, true)
    local text = source:sub(at, (open or 0) - 1)
    on_text(text)
    if not open then return end
    line = line + count_lines(text)
    local kind = source:match("^[=#%-%%]", open + 2)
    if kind == "%" then -- <%% is a plain <%
      on_text("<%")
      at = open + 3
    else
      local from = open + (kind and 3 or 2)
      local close = source:find("%>", from, true)
      if not close then fail(name, line, "\"<%\" without \"%>\"") end
      local trims = close > from and source:sub(close - 1, close - 1) == "-"
      local code = source:sub(from, close - (trims and 2 or 1))
      on_tag(kind or "", code, line)
      line = line + count_lines(code)
      at = close + 2
      local _, eol = source:find("^[ \t]*\r?\n", at)
      if trims and eol then -- the line break is left out, but it is a line
        on_tag("#", "\n", line)
        line = line + 1
        at = eol + 1
      end
    end
  end
end

local function prologue(codes)
  local used = {}
  local all = table.concat(codes, "\n")
  for _, offer in ipairs(OFFERED) do
    if all:find("%f[%w_]" .. offer[1] .. "%f[^%w_]") then
      used[offer[1]] = true
      if offer[3] then used[offer[3]] = true end
    end
  end
  local parts = { "local _ENV, _s, _l = ... local _e, _t, _o, _n = _s.escape, _s.text, {}, 0 " }
  for _, offer in ipairs(OFFERED) do
    if used[offer[1]] then parts[#parts + 1] = offer[2] end
  end
  return table.concat(parts)
end

return function(source, name)
  local writer = setmetatable({ parts = { "" }, texts = {}, joined = 0, owed = 0 }, Writer)
  local codes = {}
  scan(source, name, function(text) writer:text(text) end, function(kind, code, line)
    if kind ~= "#" then codes[#codes + 1] = code end
    write_tag(writer, kind, code, name, line)
  end)
  writer:flush()
  writer:put("return _s.concat(_o, '', 1, _n)")
  writer.parts[1] = prologue(codes)
  local code = table.concat(writer.parts)
  if #code > CODE_MAX then
    fail(name, 1, ("too much code: %d KiB as Lua, %d at most; put parts of it into views of their own, and include them"):format(
      (#code + 1023) // 1024, CODE_MAX // 1024))
  end
  local chunk, message = load(code, "@" .. name, "t", {})
  if not chunk then
    local line, why = message:match("^.-:(%d+): (.*)$")
    fail(name, tonumber(line) or 1, why or message)
  end
  local texts = writer.texts
  if #texts == 0 then return chunk end
  return function(env, state) return chunk(env, state, texts) end
end
