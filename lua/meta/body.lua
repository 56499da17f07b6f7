---@meta fsd.body

---Parsers of bodies as middleware, with the options, defaults and errors of Express's body-parser and multer.
---
---    app:use(fsd.body.json{ limit = "1mb" })
---    app:post("/notes", function(req, res) res:json(req.body) end)
---
---Each looks at the content type, and passes on what is not its own, has no body, or was parsed before; else it sets req.body, or
---raises what the methods of req raise (fsd.BodyOptions). An empty body of its type is an empty table, or "".
---@class fsd.body
local body = {}

---@alias fsd.BodyParser fun(req: fsd.Request, res: fsd.Response, next: fun(err?: any)): any

---JSON, up to 100 kB, only objects and lists, of type "application/json", unless options say otherwise.
---@param options? fsd.JsonBodyOptions
---@return fsd.BodyParser
---@nodiscard
function body.json(options) end

---Forms of type "application/x-www-form-urlencoded", up to 100 kB and 1000 parameters, unless options say otherwise.
---@param options? fsd.FormBodyOptions
---@return fsd.BodyParser
---@nodiscard
function body.form(options) end

---Text of type "text/plain", up to 100 kB, unless options say otherwise.
---@param options? fsd.BodyOptions
---@return fsd.BodyParser
---@nodiscard
function body.text(options) end

---Bytes of type "application/octet-stream", up to 100 kB, unless options say otherwise.
---@param options? fsd.BodyOptions
---@return fsd.BodyParser
---@nodiscard
function body.raw(options) end

---Forms with files (multipart/form-data), for handlers that say which files they take:
---
---    local upload = fsd.body.multipart{ storage = "disk", dir = "/srv/files" }
---    app:post("/avatar", upload:single("avatar"), function(req, res) res:send(req.file.path) end)
---
---Fields become req.body. As a handler itself it takes any files, as upload:any().
---@param options? fsd.MultipartOptions
---@return fsd.Multipart
---@nodiscard
function body.multipart(options) end

---@class fsd.Multipart
local Multipart = {}

---One file, of that field: req.file; nil when none came.
---@param name string
---@return fsd.BodyParser
---@nodiscard
function Multipart:single(name) end

---Several files of that field: req.files is a list.
---@param name string
---@param max? integer limits.files without it
---@return fsd.BodyParser
---@nodiscard
function Multipart:array(name, max) end

---Files of several fields: req.files has a list by name.
---@param accept table<string, integer> how many of which: { avatar = 1, photos = 8 }
---@return fsd.BodyParser
---@nodiscard
function Multipart:fields(accept) end

---No files.
---@return fsd.BodyParser
---@nodiscard
function Multipart:none() end

---Any files: req.files is a list.
---@return fsd.BodyParser
---@nodiscard
function Multipart:any() end

return body
