-- req:parts, req:multipart and fsd.body.multipart: forms with files, within limits that are finite from the start.
-- The syntax is worker/http/body's; here are the limits, what becomes of files, and which fields a handler takes.
local body = require "fsd.http.body"
local core = require "fsd.body.core"
local json = require "fsd.json"
local options = require "fsd.http.options"
local Request = require "fsd.http.core".methods("request")

local M = {}

local MIB <const> = 1024 * 1024

local known_limits = {
  parts = "count", files = "count", fields = "count", field_name_size = "bytes", field_size = "bytes", file_size = "bytes",
  header_pairs = "count", field_nesting_depth = { min = 1, max = 32 }, field_array_index_limit = { min = 0, max = 1000 },
}

local default_limits = {
  parts = 100, files = 10, fields = 100, field_name_size = 100, field_size = MIB, file_size = 10 * MIB, header_pairs = 2000,
  field_nesting_depth = 8, field_array_index_limit = 100,
}

local function refuse(status, code, message, field)
  body.fail(status, code, message, { name = "MultipartError", field = field })
end

local function check_limits(who, given)
  local limits = given and given.limits
  return options.check(who .. " limits", limits, known_limits, default_limits)
end

---------------------------------------------------------------- parts

local Part = {}
Part.__index = Part
Part.__name = "fsd.Part"

-- part:read() -> its bytes
function Part:read()
  return core.slice(self._req, self._first, self.size)
end

Part.text = Part.read

-- part:json() -> value
function Part:json()
  return json.decode(self:read(), { max_depth = body.defaults.json.depth })
end

-- part:save(path) -> bytes written, to a file that is not there yet
function Part:save(path)
  body.save(self._req, path, self._first, self.size)
  return self.size
end

local function check_field(part, limits)
  if part.size > limits.field_size then
    refuse(413, "LIMIT_FIELD_VALUE", ("a field is larger than %d bytes"):format(limits.field_size), part.name)
  end
end

local function check_file(part, limits)
  if part.size > limits.file_size then
    refuse(413, "LIMIT_FILE_SIZE", ("a file is larger than %d bytes"):format(limits.file_size), part.name)
  end
end

local function count_part(counts, limits, part, is_form)
  counts.parts = counts.parts + 1
  if counts.parts > limits.parts then
    refuse(413, "LIMIT_PART_COUNT", ("the body has more than %d parts"):format(limits.parts))
  end
  if not is_form then return end
  if part.name == nil then refuse(400, "MISSING_FIELD_NAME", "a part of the form has no name") end
  if #part.name > limits.field_name_size then
    refuse(413, "LIMIT_FIELD_KEY", ("the name of a field is longer than %d bytes"):format(limits.field_name_size))
  end
  if not utf8.len(part.name) then refuse(400, "INVALID_FIELD_NAME", "the name of a field is not UTF-8") end
  local kind = part.filename and "files" or "fields"
  counts[kind] = counts[kind] + 1
  if counts[kind] > limits[kind] then
    local code = part.filename and "LIMIT_FILE_COUNT" or "LIMIT_FIELD_COUNT"
    refuse(413, code, ("the form has more than %d %s"):format(limits[kind], kind), part.name)
  end
  if part.filename then check_file(part, limits) else check_field(part, limits) end
end

local function open_parts(req, o, who)
  body.prepare(req, o, who)
  local header = core.header(req, "content-type") or ""
  local found = core.media_type(header)
  if found:sub(1, 10) ~= "multipart/" then
    body.fail(415, "content_type.unsupported", "the body is not multipart")
  end
  local boundary = core.parameter(header, "boundary")
  if not boundary then body.fail(400, "entity.parse.failed", "the multipart body has no boundary") end
  return core.parts(req, boundary), found == "multipart/form-data"
end

local function make_part(req, first, size, headers, name, filename)
  local header = headers["content-type"]
  local found = header and core.media_type(header) or ""
  return setmetatable({
    name = name, filename = filename, headers = headers, size = size, _req = req, _first = first,
    type = found ~= "" and found or (filename and "application/octet-stream" or "text/plain"),
  }, Part)
end

-- An iterator over the parts, each within the limits; a file field that was left empty is passed over.
local function each_part(req, o, limits, who)
  local parts, is_form = open_parts(req, o, who)
  local counts = { parts = 0, files = 0, fields = 0 }
  return function()
    while true do
      local first, size, headers, name, filename = core.next_part(req, parts, limits.header_pairs)
      if not first then return nil end
      local part = make_part(req, first, size, headers, name, filename)
      count_part(counts, limits, part, is_form)
      if not (filename == "" and size == 0) then return part end
    end
  end
end

-- for part in req:parts{ limits = { files = 1 } } do
function Request:parts(given)
  local o = options.check("req:parts", given, { limits = "table", inflate = "boolean" }, { inflate = true })
  return each_part(self, o, check_limits("req:parts", given), "req:parts")
end

---------------------------------------------------------------- whole forms

local known = {
  limits = "table", inflate = "boolean", extended = "boolean", storage = "string function", dir = "string", filename = "function",
  file_filter = "function", accept = "string table",
}

local function check(who, given)
  local o = options.check(who, given, known, { inflate = true, storage = "memory", accept = "any" })
  o.limits = check_limits(who, given)
  if type(o.storage) == "string" and o.storage ~= "memory" and o.storage ~= "disk" then
    error(('%s: option "storage" must be "memory", "disk" or a function'):format(who), 3)
  end
  if type(o.accept) == "string" and o.accept ~= "any" and o.accept ~= "none" then
    error(('%s: option "accept" must be "any", "none" or a table of how many files of which name'):format(who), 3)
  end
  if o.storage ~= "disk" and (o.dir or o.filename) then
    error(('%s: options "dir" and "filename" need storage = "disk"'):format(who), 3)
  end
  if o.filename and not o.dir then error(('%s: option "filename" needs "dir"'):format(who), 3) end
  return o
end

-- The name of a file in o.dir: the application's own, or one that nobody can guess.
local function make_path(o, part, req)
  if not o.filename then return core.temporary(o.dir) end
  local name = o.filename(part, req)
  if type(name) ~= "string" or name == "" or name == "." or name == ".." or name:find("[/%z]") then
    error("the function filename must return the name of a file, without a folder", 0)
  end
  return o.dir .. "/" .. name
end

local storages = {}

function storages.memory(_, part)
  part.data = part:read()
end

function storages.disk(o, part, req)
  part.path = make_path(o, part, req)
  part._file = core.create(req, part.path, true) -- gone with the request unless it is kept
  body.write(req, part._file, part._first, part.size)
end

local function store(o, part, req)
  if type(o.storage) == "function" then
    part.value = o.storage(part, req)
  else
    storages[o.storage](o, part, req)
  end
end

-- Whether one more file of that name is taken.
local function is_expected(accept, counts, name)
  if accept == "any" then return true end
  if accept == "none" then return false end
  counts[name] = (counts[name] or 0) + 1
  return counts[name] <= (accept[name] or 0)
end

local function add_field(fields, name, value)
  local before = fields[name]
  if before == nil then
    fields[name] = value
  elseif type(before) == "table" then
    before[#before + 1] = value
  else
    fields[name] = json.array { before, value }
  end
end

-- What the name of a field asks for, before anything is made of it: brackets, and numbers in them.
local function check_nesting(limits, name)
  local _, depth = name:gsub("%[", "")
  if depth > limits.field_nesting_depth then
    refuse(400, "LIMIT_FIELD_NESTING", ("the name of a field nests deeper than %d levels"):format(limits.field_nesting_depth), name)
  end
  for index in name:gmatch "%[(%d+)%]" do
    if tonumber(index) > limits.field_array_index_limit then
      refuse(400, "LIMIT_FIELD_ARRAY_INDEX", ("the name of a field has a place in a list above %d"):format(limits.field_array_index_limit),
        name)
    end
  end
end

local function read_form(req, o, who)
  local form = { fields = {}, files = json.array {} }
  local counts = {}
  local pairs_of_fields = o.extended and {}
  for part in each_part(req, o, o.limits, who) do
    if not part.filename and pairs_of_fields then
      check_nesting(o.limits, part.name)
      pairs_of_fields[#pairs_of_fields + 1] = part.name
      pairs_of_fields[#pairs_of_fields + 1] = part:read()
    elseif not part.filename then
      add_field(form.fields, part.name, part:read())
    elseif not is_expected(o.accept, counts, part.name) then
      refuse(400, "LIMIT_UNEXPECTED_FILE", ("unexpected file in field %q"):format(part.name), part.name)
    elseif not o.file_filter or o.file_filter(part, req) then
      store(o, part, req)
      form.files[#form.files + 1] = part
    end
  end
  if pairs_of_fields then
    form.fields = core.nest(pairs_of_fields, o.limits.field_nesting_depth, o.limits.field_array_index_limit)
  end
  if o.dir then
    for _, file in ipairs(form.files) do core.keep(file._file) end -- none before all are there
  end
  return form
end

-- req:multipart{ storage = "disk", dir = "/srv/files" } -> { fields = { name = value }, files = { part, ... } }
function Request:multipart(given)
  local form = read_form(self, check("req:multipart", given), "req:multipart")
  self.body = form.fields
  return form
end

---------------------------------------------------------------- middleware

local Multipart = {}
Multipart.__index = Multipart
Multipart.__name = "fsd.Multipart"

local function middleware(upload, accept, give)
  local o = {}
  for name, value in pairs(upload._options) do o[name] = value end
  o.accept = accept
  return function(req, _, next)
    if req.body == nil and core.has_body(req) and body.fits(req, "multipart/form-data") then
      local form = read_form(req, o, "fsd.body.multipart")
      req.body = form.fields
      give(req, form.files)
    end
    return next()
  end
end

local function check_name(who, name)
  if type(name) ~= "string" then error(who .. " expects the name of a field", 3) end
end

-- One file of that field: req.file
function Multipart:single(name)
  check_name("upload:single", name)
  return middleware(self, { [name] = 1 }, function(req, files) req.file = files[1] end)
end

-- Up to max files of that field: req.files, a list
function Multipart:array(name, max)
  check_name("upload:array", name)
  return middleware(self, { [name] = max or self._options.limits.files }, function(req, files) req.files = files end)
end

-- { avatar = 1, photos = 8 }: req.files, from names to lists
function Multipart:fields(accept)
  if type(accept) ~= "table" then error("upload:fields expects a table of how many files of which name", 2) end
  return middleware(self, accept, function(req, files)
    req.files = {}
    for _, file in ipairs(files) do
      req.files[file.name] = req.files[file.name] or json.array {}
      table.insert(req.files[file.name], file)
    end
  end)
end

-- Fields only
function Multipart:none()
  return middleware(self, "none", function() end)
end

-- Any files: req.files, a list
function Multipart:any()
  return middleware(self, "any", function(req, files) req.files = files end)
end

-- As a handler itself it takes any files, or what the option accept says.
function Multipart:__call(req, res, next)
  if not self._any then
    self._any = middleware(self, self._options.accept, function(request, files) request.files = files end)
  end
  return self._any(req, res, next)
end

-- fsd.body.multipart{ storage = "disk", dir = "/srv/files" }
function M.new(given)
  return setmetatable({ _options = check("fsd.body.multipart", given) }, Multipart)
end

return M
