-- Notes: a small JSON API, and the page that uses it.
--
--   build/release/fsd run examples/notes/app.lua -p 8080 -w 1
--
-- The notes are kept in the memory of one worker: run it with -w 1, and know that a restart forgets
-- them.  A real application keeps them in a database; only lib/store.lua would change.
local fsd = require "fsd"
local page = require "page"
local store = require "store"
local validate = require "validate"

local app = fsd.app()
local notes = store.new { limit = 1000 }

local function log_request(req, status, fields)
  local ms = (fsd.now() - req.state.began) * 1000
  local record = { method = req.method, path = req.path, status = status, ms = math.floor(ms * 100 + 0.5) / 100 }
  for key, value in pairs(fields or {}) do record[key] = value end
  req.log:info("request", record)
end

-- The page is the same for everybody: it is answered without entering Lua, and not logged below.
app:get("/", fsd.respond(page, { type = "text/html; charset=utf-8" }))

app:use(function(req, res, next)
  req.state.began = fsd.now()
  next() -- returns when the handlers below have; raises what they raise, see app:on_error
  log_request(req, res.status_code)
end)

-- The body as a table.  A browser sends this content type to another site only after asking it, so
-- requiring it keeps foreign pages from posting here.
local function read_json(req)
  local type = (req:get("content-type") or ""):match("^[^;%s]*")
  if type:lower() ~= "application/json" then
    error(fsd.error { status = 415, code = "type.json", message = "send application/json" })
  end
  return req:json { null = "keep" }
end

-- The note that the path names, or a 404.
local function find_note(req)
  local id = req.params.id:find("^%d+$") and math.tointeger(tonumber(req.params.id))
  local note = id and notes:find(id)
  if not note then
    error(fsd.error { status = 404, code = "note.missing", message = "no note " .. req.params.id })
  end
  return note
end

app:get("/notes", function(req, res)
  local query = validate.list_query(req.query)
  local found, total = notes:list(query)
  res:json { notes = found, total = total, limit = query.limit, offset = query.offset }
end)

app:post("/notes", function(req, res)
  local note = notes:create(validate.note(read_json(req)))
  res:status(201):set("location", "/notes/" .. note.id):json(note)
end)

app:get("/notes/:id", function(req, res) res:json(find_note(req)) end)

app:put("/notes/:id", function(req, res)
  local note = find_note(req)
  res:json(notes:update(note, validate.note(read_json(req))))
end)

app:patch("/notes/:id", function(req, res)
  local note = find_note(req)
  res:json(notes:update(note, validate.changes(read_json(req))))
end)

app:delete("/notes/:id", function(req)
  notes:delete(find_note(req))
  return 204
end)

app:not_found(function(req)
  error(fsd.error { status = 404, code = "path.missing", message = "nothing at " .. req.path })
end)

-- Every error becomes JSON of one shape.  What is our own fault is logged by fsd, with its traceback,
-- and not told to the client.
app:on_error(function(err, req, res)
  log_request(req, err.status, { code = err.code })
  if err.status >= 500 and err.code ~= "store.full" then
    return res:status(err.status):json { error = "internal error", code = "internal" }
  end
  res:status(err.status):json { error = err.message, code = err.code, problems = err.problems }
end)

return app
