-- Loops that keep the CPU for some ten milliseconds each.  As a program, `lua5.4 loops.lua NAME` prints the seconds of CPU time.
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

local name = ...

if arg then
  local begun = os.clock()
  loops[name]()
  print(os.clock() - begun)
end

return loops
