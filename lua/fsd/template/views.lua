-- fsd.template.views: finds views in the bundle of the code that runs, and keeps what they were compiled to for as long as
-- that code is there.  A name is a path below the folder of views, "user/show"; without an ending it gets the one that is set.
-- Engines are functions (path, values, source) -> string by ending, for templates of another kind.
local compile = require "fsd.template.compile"
local core = require "fsd.template.core"
local errors = require "fsd.error"
local text = require "fsd.text.core"

local M = {}

local FOLDERS = { "views" }
local ENDING = "tpl"
local OURS = { tpl = true, etlua = true, html = true, htm = true, xml = true }

-- What templates see of Lua; names that are likely to be those of a missing value (error, next, select) are left out.
local SEEN = { "ipairs", "pairs", "tostring", "tonumber", "type", "string", "table", "math", "utf8", "os" }

local kept = setmetatable({}, { __mode = "k" }) -- generation -> what belongs to it

local function here()
  local generation, generation_require = core.here()
  local mine = kept[generation]
  if not mine then
    local base = { require = generation_require }
    for _, name in ipairs(SEEN) do base[name] = _G[name] end
    mine = { compiled = {}, metatable = { __index = base } }
    kept[generation] = mine
  end
  return generation, mine
end

function M.metatable()
  local _, mine = here()
  return mine.metatable
end

local function to_folders(folders)
  if folders == nil or folders == FOLDERS[1] then return FOLDERS end
  folders = type(folders) == "table" and folders or { folders }
  for i, folder in ipairs(folders) do
    if type(folder) ~= "string" or folder:find "^/" or ("/" .. folder .. "/"):find "/%.%.?/" then
      error(("folder of views #%d must be a path below the application's folder, such as \"views\", got %s"):format(
        i, type(folder) == "string" and ("%q"):format(folder) or type(folder)), 4)
    end
  end
  return folders
end

-- "user/show", "tpl" -> "user/show.tpl", "tpl"
local function to_file(name, ending)
  if type(name) ~= "string" or name == "" then
    error(("the name of a view must be a string such as \"user/show\", got %s"):format(type(name)), 4)
  end
  local own = name:match "[^/]%.(%w+)$"
  if own then return name, own end
  return name .. "." .. ending, ending
end

-- Names of views as they would be written, for whoever has mistyped one.
local function list_names(generation, folders, ending)
  local names = {}
  for _, path in ipairs(core.list(generation)) do
    for _, folder in ipairs(folders) do
      local prefix = folder:gsub("/*$", "/")
      if path:sub(1, #prefix) == prefix then
        local name = path:sub(#prefix + 1)
        local suffix = "." .. ending
        if name:sub(-#suffix) == suffix then name = name:sub(1, -#suffix - 1) end
        names[#names + 1] = name
      end
    end
  end
  return names
end

local function fail_missing(generation, folders, ending, name)
  local file = to_file(name, ending)
  local looked = {}
  for i, folder in ipairs(folders) do looked[i] = folder:gsub("/*$", "/") .. file end
  local meant = text.nearest(name, list_names(generation, folders, ending))
  error(errors.new {
    name = "TemplateError", code = "view.missing", status = 500,
    message = ("no view \"%s\": there is no %s%s"):format(
      name, table.concat(looked, " or "), meant and (", did you mean \"%s\"?"):format(meant) or ""),
  }, 0)
end

local function read(generation, folders, file)
  for _, folder in ipairs(folders) do
    local path = folder:gsub("/*$", "/") .. file
    local source = core.read(generation, path)
    if source then return source, path end
  end
end

-- Values as a plain table: what an engine of another kind is given.
local function to_plain(env)
  local plain = {}
  for key, value in next, env do plain[key] = value end
  return plain
end

local function make(source, path, ending, engines)
  local engine = engines and engines[ending]
  if engine then
    return function(env) return engine(path, to_plain(env), source) end
  end
  if not OURS[ending] then
    error(errors.new {
      name = "TemplateError", code = "view.engine", status = 500,
      message = ("no engine for \"%s\": register one with app:engine(\"%s\", fn)"):format(path, ending),
    }, 0)
  end
  return compile(source, path)
end

-- A function that finds views by name, and what it finds for the first one.  Options: views (folder or list), view_engine
-- (ending), view_cache (false: compiled each time), engines (by ending), owner (whose engines these are).
function M.finder(name, options)
  local generation, mine = here()
  local folders = to_folders(options and options.views)
  local ending = options and options.view_engine or ENDING
  local engines = options and options.engines
  local cache = mine.compiled
  if folders ~= FOLDERS or engines ~= nil or ending ~= ENDING then
    local key = table.concat(folders, "\0") .. "\0\0" .. ending
    local owner = engines or mine
    mine.by_owner = mine.by_owner or setmetatable({}, { __mode = "k" })
    mine.by_owner[owner] = mine.by_owner[owner] or {}
    cache = mine.by_owner[owner][key] or {}
    mine.by_owner[owner][key] = cache
  end
  if options and options.view_cache == false then cache = {} end
  local function find(wanted)
    local render = cache[wanted]
    if render then return render end
    local file, own_ending = to_file(wanted, ending)
    local source, path = read(generation, folders, file)
    if not source then fail_missing(generation, folders, ending, wanted) end
    render = make(source, path, own_ending, engines)
    cache[wanted] = render
    return render
  end
  return find, find(name)
end

function M.check(options)
  local generation = here()
  local folders = to_folders(options and options.views)
  local engines = options and options.engines
  for _, path in ipairs(core.list(generation)) do
    local ending = path:match "%.(%w+)$"
    for _, folder in ipairs(folders) do
      local prefix = folder:gsub("/*$", "/")
      local is_ours = OURS[ending] and not (engines and engines[ending])
      if is_ours and path:sub(1, #prefix) == prefix then compile(core.read(generation, path), path) end
    end
  end
end

return M
