-- Upload: a page with a form, files that are kept in a folder, a list of them, and downloads.
--
--   build/release/fsd run examples/upload/app.lua -p 8080
--
-- The folder is /tmp, or what the configuration says: env: { UPLOAD_DIR: /srv/files }.  It must be there.
local fsd = require "fsd"
local page = require "page"
local store = require "store"

local app = fsd.app()
local files = store.new(fsd.config.env.UPLOAD_DIR or "/tmp")

-- What a client sends: a few small files and a note.  A form that is refused leaves no file behind.
local upload = fsd.body.multipart {
  storage = "disk",
  dir = files.folder,
  filename = store.new_name, -- never a name that the client has thought of
  limits = { files = 5, file_size = "4mb", fields = 5, field_size = "2kb" },
}

local function wants_page(req)
  return (req:get("accept") or ""):find("text/html", 1, true) ~= nil
end

-- What a client did wrong is told on a page when a browser asks, else as JSON.
app:on_error(function(err, req, res, next)
  if err.status >= 500 then return next(err) end
  res:status(err.status)
  if wants_page(req) then return res:send(page.problem(err.message)) end
  res:json { error = err.message, code = err.code, field = err.field }
end)

app:get("/", function(req, res)
  res:set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
  res:send(page.list(files:list()))
end)

app:get("/files", function(req, res) res:json(fsd.json.array(files:list())) end)

app:post("/files", upload:array("files", 5), function(req, res)
  if #(req.files or {}) == 0 then fsd.http.abort(422, "choose at least one file") end
  local added = fsd.json.array {}
  for i, part in ipairs(req.files) do added[i] = files:add(part, req.body.note) end
  if wants_page(req) then return res:redirect(303, "/") end
  res:status(201):json(added)
end)

-- Always as a download: a page that a stranger has uploaded must not run as one of ours.
app:get("/files/:id", function(req, res)
  local file = files:find(req.params.id)
  if not file then fsd.http.abort(404, "there is no such file") end
  res:set("Content-Type", "application/octet-stream"):set("X-Content-Type-Options", "nosniff")
  res:download(files:path_of(file), file.name)
end)

app:delete("/files/:id", function(req, res)
  if not files:remove(req.params.id) then fsd.http.abort(404, "there is no such file") end
  res:status(204):finish()
end)

return app
