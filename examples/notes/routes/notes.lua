-- The routes below /notes.  Each says what it takes (query, body); what does not fit is a 400 before its handler runs, and
-- what does is in req.valid.
local fsd = require "fsd"
local store = require "store"

local S, http, array = fsd.schema, fsd.http, fsd.json.array
local router = fsd.router()

-- Fields of a form that were left empty are tags "", which are dropped.
local function drop_empty(tags)
  local kept = array {}
  for _, tag in ipairs(tags) do
    if tag ~= "" then kept[#kept + 1] = tag end
  end
  return kept
end

local Note = S { -- POST, PUT
  title = { "string", trim = true, min = 1, max = 200 },
  text = { "string", max = 10000, default = "" },
  tags = { "list", of = { "string", trim = true, max = 30 }, max = 10, check = drop_empty, default = array {} },
  version = { "integer", optional = true },
}
local Changes = S { -- PATCH: the same, but nothing must be there
  title = { "string", trim = true, min = 1, max = 200, optional = true },
  text = { "string", max = 10000, optional = true },
  tags = { "list", of = { "string", trim = true, max = 30 }, max = 10, check = drop_empty, optional = true },
  version = { "integer", optional = true },
}
local Page = S {
  q = { "string", max = 100, optional = true },
  limit = { "integer", min = 1, max = 100, default = 20 },
  offset = { "integer", min = 0, default = 0 },
}

local function etag(note) return ('"%d"'):format(note.version) end

local function found(note, req)
  return http.assert(note, 404, "no note " .. req.params.id, { code = "note.missing" })
end

-- Nobody overwrites what he has not seen: programs send If-Match, or the version they have read; forms send the version.
local function check_version(req, version)
  local wanted = req:get "if-match"
  return function(note)
    local fits = not wanted
    for tag in (wanted or ""):gmatch "[^,%s]+" do fits = fits or tag == "*" or tag == etag(note) end
    if not fits or (version and version ~= note.version) then
      http.abort(412, "somebody else has changed this note", { code = "note.changed" })
    end
  end
end

-- Programs get the note; browsers are sent on to a page.  JSON is first: who accepts anything (curl) gets that.
local function answer(res, note, path)
  res:format {
    { "json", function() res:set("etag", etag(note)):json(note) end },
    { "html", function() res:redirect(303, path) end },
  }
end

router:param("id", "integer") -- /notes/abc is not a path of ours

router:use(function(_, res, next)
  res:set("cache-control", "no-cache") -- keep it, but ask each time: the answer is 304 if nothing has changed
  next()
end)

router:get("/", { name = "notes", query = Page }, function(req, res)
  local query = req.valid.query
  local notes, total = store.list(query)
  local function page(offset)
    return req.app:url("notes", nil, { q = query.q, limit = query.limit, offset = math.max(offset, 0) })
  end
  local links = {
    prev = query.offset > 0 and page(query.offset - query.limit) or nil,
    next = query.offset + query.limit < total and page(query.offset + query.limit) or nil,
  }
  res:links(links):format {
    { "json", function() res:json { notes = notes, total = total, limit = query.limit, offset = query.offset } end },
    { "html", function() res:render("list", { notes = notes, total = total, q = query.q, links = links }) end },
  }
end)

router:post("/", { body = Note }, function(req, res)
  local note = store.create(req.valid.body)
  local path = req.app:url("note", { id = note.id })
  res:status(201):location(path)
  answer(res, note, path)
end)

router:get("/export", { name = "export" }, function(_, res)
  res:attachment("notes.json"):json((store.list { limit = math.huge, offset = 0 }))
end)

router:get("/:id", { name = "note" }, function(req, res)
  local note = found(store.find(req.params.id), req)
  res:format {
    { "json", function() res:set("etag", etag(note)):json(note) end },
    { "html", function() res:render("note", { note = note }) end },
  }
end)

local function change(req, res)
  local fields = req.valid.body
  local note = found(store.change(req.params.id, fields, check_version(req, fields.version)), req)
  answer(res, note, req.app:url("note", { id = note.id }))
end
router:put("/:id", { body = Note }, change)
router:patch("/:id", { body = Changes }, change)

router:delete("/:id", function(req, res)
  local version = req:is "urlencoded" and math.tointeger(req:form().version) or nil
  found(store.delete(req.params.id, check_version(req, version)), req)
  if req:accepts("json", "html") == "json" then return 204 end
  res:redirect(303, req.app:url("notes"))
end)

return router
