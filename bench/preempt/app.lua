-- GET /NAME runs one of the loops and answers with the seconds of CPU time that it took.
local fsd = require "fsd"
local loops = require "loops"

-- milliseconds until a pattern that would try 2^40 ways on 40 bytes has ended with an error
local function pathological()
  local text, pattern = ("a"):rep(40), ("a?"):rep(40) .. ("a"):rep(40) .. "b"
  local begun = fsd.now()
  local ok = pcall(string.find, text, pattern)
  assert(not ok, "it was found?")
  return (fsd.now() - begun) * 1000
end

local app = fsd.app()

app:get("/pattern", function() return { ms = pathological() } end)

app:get("/:loop", function(req)
  local loop = loops[req.params.loop]
  collectgarbage()
  local begun = os.clock()
  loop()
  return { cpu = os.clock() - begun }
end)

return app
