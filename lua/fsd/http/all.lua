-- The files that add methods in Lua to fsd's classes, one a line.  Each takes the table of a class, and fills it:
--   local Response = require "fsd.http.core".methods("response")
--   function Response:name(...) ... end
for _, name in ipairs {
  "body",
  "inject",
  "multipart",
  "render",
  "request",
  "response",
} do
  require("fsd.http." .. name)
end
