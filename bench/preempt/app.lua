-- Loops that keep the CPU for some hundred milliseconds each: GET /NAME answers with the seconds of CPU time that it took.
local fsd = require "fsd"

local loops = {}

function loops.fib()
  local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
  return fib(30)
end

function loops.string()
  local count = 0
  for i = 1, 250000 do
    local text = "key-" .. i .. "=value"
    local key, value = text:match("^(%w+)%-%d+=(%a+)$")
    count = count + #key + #value + text:upper():byte(1)
  end
  return count
end

function loops.table()
  local sum = 0
  for i = 1, 60000 do
    local list = {}
    for k = 1, 16 do list[k] = k * i end
    local item = { id = i, list = list }
    for _, value in ipairs(item.list) do sum = sum + value % 7 end
  end
  return sum
end

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
