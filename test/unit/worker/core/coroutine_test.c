/* Lua's language inside a task, at a slice of one instruction: nothing of it may be seen. */
#include "worker/core/coroutine.h"

#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test/support/lua_tasks.h"

static const struct program {
    const char *name;
    const char *code; /* returns a text */
} programs[] = {
    {"sort", "local t = {} for i = 1, 40 do t[i] = (i * 7919) % 41 end\n"
             "table.sort(t, function(a, b) return a > b end) return table.concat(t, ',')"},
    {"gsub with a callback",
     "return (('hello world'):gsub('%w+', function(w) return w:upper() .. #w end))"},
    {"gsub with a table", "return (('$a $b'):gsub('%$(%w)', {a = 1, b = 'x'}))"},
    {"nested coroutines",
     "local function level(n) return coroutine.wrap(function()\n"
     "  if n == 0 then for i = 1, 3 do coroutine.yield(i) end return 'end' end\n"
     "  local inner = level(n - 1)\n"
     "  for i = 1, 4 do coroutine.yield(n .. tostring(inner())) end return 'done' end) end\n"
     "local f, out = level(4), {} for i = 1, 5 do out[i] = tostring(f()) end\n"
     "return table.concat(out, ' ')"},
    {"pcall, xpcall and error",
     "local out = {}\n"
     "local function add(...) for i = 1, select('#', ...) do\n"
     "  out[#out + 1] = tostring((select(i, ...))) end end\n"
     "add(pcall(error, 'a')) add(pcall(error)) add(pcall(function() error({}, 2) end) == false)\n"
     "add(xpcall(function() local x = nil; return x.y end, function(m) return 'h:' .. m end))\n"
     "add(select('#', pcall(function(...) return ... end, 1, nil, 3)))\n"
     "add(pcall(pcall, error, 'x')) add(xpcall(error, function() error('again') end, 1))\n"
     "return table.concat(out, ' ')"},
    {"metamethods",
     "local log = {}\n"
     "local mt = {} for _, name in "
     "ipairs{'add','sub','mul','div','mod','pow','unm','idiv','band',\n"
     "  'bor','bxor','shl','shr','bnot','concat'} do\n"
     "  mt['__' .. name] = function(a, b) log[#log + 1] = name return 1 end end\n"
     "mt.__index = function(t, k) log[#log + 1] = 'index' .. k return k end\n"
     "mt.__newindex = function(t, k, v) log[#log + 1] = 'newindex' rawset(t, k, v) end\n"
     "mt.__eq = function() log[#log + 1] = 'eq' return true end\n"
     "mt.__lt = function() log[#log + 1] = 'lt' return false end\n"
     "mt.__le = function() log[#log + 1] = 'le' return true end\n"
     "mt.__len = function() log[#log + 1] = 'len' return 7 end\n"
     "mt.__call = function(self, ...) log[#log + 1] = 'call' return ... end\n"
     "mt.__close = function() log[#log + 1] = 'close' end\n"
     "mt.__tostring = function() return 'text' end\n"
     "mt.__pairs = function(t) return function(_, k) if not k then return 1, 2 end end, t end\n"
     "local a, b = setmetatable({}, mt), setmetatable({}, mt)\n"
     "local _ = a + b, a - b, a * b, a / b, a % b, a ^ b, -a, a // b, a & b, a | b, a ~ b, a << "
     "b,\n"
     "  a >> b, ~a, a .. b, 'x' .. a .. 'y' .. b\n"
     "local out = {a.field, a == b, a ~= b, a < b, a > b, a <= b, a >= b, #a, a(1, 2), "
     "tostring(a)}\n"
     "if a < b or not (a == b) then out[#out + 1] = 'wrong' end\n"
     "a.x = 1 do local c <close> = a end for k, v in pairs(a) do out[#out + 1] = k + v end\n"
     "for i = 1, #out do out[i] = tostring(out[i]) end\n"
     "return table.concat(out, ' ') .. ' ' .. table.concat(log, ' ')"},
    {"goto", "local out, i = {}, 0\n"
             "::top:: i = i + 1 if i % 2 == 0 then goto skip end out[#out + 1] = i\n"
             "::skip:: if i < 9 then goto top end\n"
             "for j = 1, 3 do for k = 1, 3 do if k == 2 then goto next end\n"
             "  out[#out + 1] = j * k end ::next:: end return table.concat(out, ' ')"},
    {"a generic for with state",
     "local function range(n) return function(s, c) if c < s then return c + 1, c * c end end, n, "
     "0\n"
     "end local out = {} for i, sq in range(5) do out[#out + 1] = i .. ':' .. sq end\n"
     "for k, v in next, {1, 2, 3} do out[#out + 1] = k + v end return table.concat(out, ' ')"},
    {"generators",
     "local function tree(t) if t then tree(t[1]) coroutine.yield(t[2]) tree(t[3]) end end\n"
     "local out = {} local t = {{nil, 1}, 2, {{nil, 3}, 4}}\n"
     "for v in coroutine.wrap(function() tree(t) end) do out[#out + 1] = v end\n"
     "return table.concat(out, ' ')"},
    {"what coroutines say of themselves",
     "local out = {} local co\n"
     "co = coroutine.create(function(...)\n"
     "  out[#out + 1] = coroutine.status(co) out[#out + 1] = tostring(coroutine.isyieldable())\n"
     "  out[#out + 1] = tostring(coroutine.running() == co)\n"
     "  local inner = coroutine.wrap(function() out[#out + 1] = coroutine.status(co) end) inner()\n"
     "  out[#out + 1] = select('#', ...) .. select('#', coroutine.yield(1, nil, 3)) error('boom') "
     "end)\n"
     "out[#out + 1] = coroutine.status(co)\n"
     "out[#out + 1] = select('#', coroutine.resume(co, nil, nil))\n"
     "out[#out + 1] = coroutine.status(co)\n"
     "for _, v in ipairs{coroutine.resume(co, nil)} do out[#out + 1] = tostring(v) end\n"
     "out[#out + 1] = select(2, coroutine.resume(co)) out[#out + 1] = coroutine.status(co)\n"
     "out[#out + 1] = tostring(coroutine.close(co))\n"
     "local w = coroutine.wrap(function() error('at') end) out[#out + 1] = select(2, pcall(w))\n"
     "out[#out + 1] = select(2, pcall(w))\n"
     "w = coroutine.wrap(function() return pcall(w) end)\n"
     "out[#out + 1] = tostring(select(2, w()))\n"
     "local self = coroutine.wrap(function(f) return pcall(f) end)\n"
     "out[#out + 1] = tostring(select(2, self(self)))\n"
     "out[#out + 1] = select(2, pcall(coroutine.resume, 1))\n"
     "out[#out + 1] = select(2, pcall(coroutine.wrap, 1))\n"
     "out[#out + 1] = select(2, pcall(coroutine.status))\n"
     "co = coroutine.create(function() return pcall(coroutine.close, co) end)\n"
     "out[#out + 1] = select(3, coroutine.resume(co))\n"
     "return table.concat(out, ' ')"},
    {"closing coroutines",
     "local out = {} local function mark(n) return setmetatable({}, {__close = function(_, e)\n"
     "  out[#out + 1] = n .. tostring(e) end}) end\n"
     "local co = coroutine.create(function() local a <close> = mark 'a' local b <close> = mark "
     "'b'\n"
     "  coroutine.yield() end)\n"
     "coroutine.resume(co) out[#out + 1] = tostring(coroutine.close(co))\n"
     "out[#out + 1] = coroutine.status(co)\n"
     "co = coroutine.create(function() local a <close> = setmetatable({}, {__close = function()\n"
     "  error('in close', 0) end}) coroutine.yield() end) coroutine.resume(co)\n"
     "local ok, err = coroutine.close(co) out[#out + 1] = tostring(ok) .. err .. "
     "coroutine.status(co)\n"
     "local w = coroutine.wrap(function() local a <close> = mark 'w' error('x', 0) end)\n"
     "out[#out + 1] = select(2, pcall(w)) return table.concat(out, ' ')"},
    {"variables to be closed",
     "local out = {} local function mark(n) return setmetatable({}, {__close = function(_, e)\n"
     "  local x = 0 for i = 1, 5 do x = x + i end out[#out + 1] = n .. x .. tostring(e) end}) end\n"
     "do local a <close> = mark 'a' local b <close> = nil local c <close> = mark 'c' end\n"
     "local function f() local a <close> = mark 'f' return 1, 2, 3 end\n"
     "out[#out + 1] = select('#', f())\n"
     "pcall(function() local a <close> = mark 'p' local b <close> = mark 'q' error('e', 0) end)\n"
     "for i = 1, 3 do local a <close> = mark(i) if i == 2 then break end end\n"
     "for k in next, {1}, nil, mark 'for' do out[#out + 1] = k end\n"
     "local w = coroutine.wrap(function() local a <close> = mark 'co' coroutine.yield('y')\n"
     "  return 'r' end) out[#out + 1] = w() out[#out + 1] = w() return table.concat(out, ' ')"},
    {"varargs", "local function f(...) local a, b = ... return select('#', ...), a, b, ... end\n"
                "local t = table.pack(f(1, nil, 3, nil)) local out = {t.n}\n"
                "for i = 1, t.n do out[#out + 1] = tostring(t[i]) end\n"
                "local function g(...) return (select(-1, ...)), {...} end\n"
                "local last, all = g(table.unpack({1, 2, 3}, 1, 3))\n"
                "return table.concat(out, ' ') .. last .. #all"},
    {"tail calls", "local function loop(n, acc) if n == 0 then return acc end\n"
                   "  return loop(n - 1, acc + n) end return tostring(loop(300, 0))"},
    {"recursion",
     "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end\n"
     "local function ack(m, n) if m == 0 then return n + 1 end\n"
     "  if n == 0 then return ack(m - 1, 1) end return ack(m - 1, ack(m, n - 1)) end\n"
     "return fib(9) .. ' ' .. ack(1, 5)"},
    {"strings",
     "local out = {} for w in ('one two three'):gmatch('%a+') do out[#out + 1] = w:rep(2) end\n"
     "out[#out + 1] = ('x'):rep(3, ',') .. #('y'):rep(1000) .. ('%5.1f|%q'):format(2.5, 'a\\n')\n"
     "out[#out + 1] = ('key=value'):match('(%w+)=(%w+)') out[#out + 1] = ('abc'):reverse()\n"
     "out[#out + 1] = ('a,b'):find(',', 1, true) return table.concat(out, ' ')"},
    {"upvalues and loops of closures",
     "local fs = {} for i = 1, 3 do local n = i fs[i] = function() n = n + i return n end end\n"
     "fs[1]() local out = {} for i = 1, 3 do out[i] = fs[i]() end return table.concat(out, ' ')"},
    {"numeric loops", "local out = {} for i = 3, 1, -1 do out[#out + 1] = i end\n"
                      "for x = 0.5, 2 do out[#out + 1] = x end for i = math.maxinteger - 1,\n"
                      "math.maxinteger do out[#out + 1] = 'm' end local i = 0\n"
                      "repeat local done = i > 2 i = i + 1 until done\n"
                      "while true do i = i + 1 if i > 6 then break end end out[#out + 1] = i\n"
                      "return table.concat(out, ' ')"},
    {"load", "local f = load('local a, b = ... return a * b') local parts = {'return ', '4', '2'}\n"
             "local i = 0 local g = load(function() i = i + 1 return parts[i] end)\n"
             "return f(6, 7) .. ' ' .. g() .. tostring(select(2, load('x ='))) "},
    {"table functions",
     "local t = {5, 2, 8} table.insert(t, 1, 9) table.remove(t, 2)\n"
     "table.move(t, 1, 3, 2) local p = setmetatable({}, {__index = function(_, i)\n"
     "  return i * 10 end, __len = function() return 3 end})\n"
     "return table.concat(t, ' ') .. ' ' .. table.concat({table.unpack(p)}, ' ')"},
    {"collecting",
     "local weak = setmetatable({}, {__mode = 'k'}) for i = 1, 30 do weak[{}] = i end\n"
     "collectgarbage() local t = {} for i = 1, 50 do t[i] = {i, tostring(i)} end\n"
     "collectgarbage('step') return tostring(next(weak)) .. t[50][2]"},
    {"comparators that fail and that lie",
     "local out = {} local t = {5, 3, 8, 1, 9, 2, 7}\n"
     "out[#out + 1] = tostring(select(2, pcall(table.sort, t, function(a, b) if b == 8 "
     "then error('at 8', 0) end return a < b end)))\n"
     "table.sort(t, function(a, b) return tostring(a) > tostring(b) end) out[#out + 1] = "
     "table.concat(t)\n"
     "local words = {'b', 'A', 'c'} table.sort(words, function(a, b) return a:lower() < "
     "b:lower() end)\n"
     "local lists = {} for i = 1, 6 do lists[i] = setmetatable({n = (i * 5) % 7}, {__lt = "
     "function(a, b) return a.n < b.n end}) end\n"
     "table.sort(lists) for i = 1, 6 do out[#out + 1] = lists[i].n end\n"
     "return table.concat(out, ' ') .. table.concat(words)\n"},
    {"gsub whose callback fails, and one in another",
     "local out = {select(2, pcall(string.gsub, 'a b c', '%a', function(c) if c == 'b' "
     "then error('no ' .. c, 0) end end))}\n"
     "out[#out + 1] = (('ab cd'):gsub('%a+', function(w) return (w:gsub('.', function(c) "
     "return c:byte() .. ',' end)) end))\n"
     "out[#out + 1] = (('x=1, y=2'):gsub('(%a)=(%d)', function(k, v) if k == 'y' then "
     "return false end return v .. k end))\n"
     "out[#out + 1] = (('abc'):gsub('', '-')) out[#out + 1] = select(2, ('aaa'):gsub('a', "
     "'b', 2))\n"
     "out[#out + 1] = (('k v'):gsub('%a', setmetatable({}, {__index = function(_, k) "
     "return k:upper() end})))\n"
     "return table.concat(out, ' ')\n"},
    {"pcall in coroutines in pcall",
     "local out = {}\n"
     "local function work(depth)\n"
     "  if depth == 0 then error({depth = 'bottom'}) end\n"
     "  local ok, err = pcall(coroutine.wrap(function() coroutine.yield(depth) work(depth "
     "- 1) end))\n"
     "  out[#out + 1] = tostring(ok) .. tostring(err)\n"
     "  local co = coroutine.create(function() return pcall(work, depth - 1) end)\n"
     "  local results = {coroutine.resume(co)}\n"
     "  out[#out + 1] = tostring(results[1]) .. type(results[3])\n"
     "end\n"
     "work(3) return table.concat(out, ' ')\n"},
    {"handlers of errors, and what they see",
     "local out = {}\n"
     "local function handler(e) local info = debug.getinfo(2, 'l') return tostring(e) .. "
     "'@' .. type(info.currentline) end\n"
     "out[#out + 1] = select(2, xpcall(function() error('one', 0) end, handler))\n"
     "out[#out + 1] = select(2, xpcall(function() local t = {} t = t + 1 end, function(e) "
     "return (e:gsub('^.-: ', '')) end))\n"
     "out[#out + 1] = tostring(select(2, xpcall(function() error() end, function(e) "
     "return 'nil was ' .. tostring(e) end)))\n"
     "out[#out + 1] = select(2, pcall(error, setmetatable({}, {__tostring = function() "
     "return 'text' end}))) and 'object'\n"
     "out[#out + 1] = table.concat({xpcall(function(...) return select('#', ...), ... "
     "end, print, 'a', 'b')} , ',', 2)\n"
     "local ok, e = pcall(function() local x <close> = setmetatable({}, {__close = "
     "function(_, e) error('closing after ' .. e, 0) end}) error('body', 0) end)\n"
     "out[#out + 1] = e return table.concat(out, ' ')\n"},
    {"variables to be closed on every way out",
     "local out = {} local function mark(n) return setmetatable({}, {__close = "
     "function(_, e) out[#out + 1] = n .. tostring(e) end}) end\n"
     "for i = 1, 4 do local a <close> = mark('i' .. i) if i % 2 == 1 then goto continue "
     "end if i == 4 then break end out[#out + 1] = i ::continue:: end\n"
     "local function early(x) local a <close> = mark 'early' if x then return 'left' end "
     "local b <close> = mark 'never' return 'end' end\n"
     "out[#out + 1] = early(true) out[#out + 1] = early(false)\n"
     "local function tail() local a <close> = mark 'tail' return early(true) end out[#out "
     "+ 1] = tail()\n"
     "local co = coroutine.wrap(function() for i = 1, 3 do local a <close> = mark('co' .. "
     "i) coroutine.yield(i) end end)\n"
     "co() co() local function iter() local n = 0 return function() n = n + 1 if n < 4 "
     "then return n end end, nil, nil, mark 'iterator' end\n"
     "for i in iter() do if i == 2 then break end end\n"
     "pcall(function() for i in iter() do error('in loop', 0) end end)\n"
     "local const <const> = 5 out[#out + 1] = const return table.concat(out, ' ')\n"},
    {"goto in nested blocks with closures",
     "local fs, i = {}, 1\n"
     "::again:: do local k = i fs[#fs + 1] = function() k = k + 1 return k end end\n"
     "i = i + 1 if i <= 3 then goto again end\n"
     "local out = {} for round = 1, 2 do for j = 1, 3 do out[#out + 1] = fs[j]() end end\n"
     "do local n = 0 ::top:: n = n + 1 while true do if n > 3 then goto done end repeat "
     "if n == 2 then n = n + 1 end goto top until false end ::done:: out[#out + 1] = n end\n"
     "return table.concat(out, ' ')\n"},
    {"generators that feed each other",
     "local function numbers() return coroutine.wrap(function() local n = 2 while true do "
     "coroutine.yield(n) n = n + 1 end end) end\n"
     "local function without(p, g) return coroutine.wrap(function() while true do local n "
     "= g() if n % p ~= 0 then coroutine.yield(n) end end end) end\n"
     "local out, g = {}, numbers() for i = 1, 8 do local p = g() out[i] = p g = "
     "without(p, g) end\n"
     "local function permute(a, n) if n <= 1 then coroutine.yield(table.concat(a)) else\n"
     "  for k = 1, n do a[n], a[k] = a[k], a[n] permute(a, n - 1) a[n], a[k] = a[k], a[n] "
     "end end end\n"
     "for p in coroutine.wrap(function() permute({'a', 'b', 'c'}, 3) end) do out[#out + "
     "1] = p end\n"
     "local sum = coroutine.wrap(function(x) local total = 0 while true do total = total "
     "+ x x = coroutine.yield(total) end end)\n"
     "out[#out + 1] = sum(1) + sum(2) + sum(3) return table.concat(out, ' ')\n"},
    {"coroutines in metamethods, iterators and callbacks",
     "local out = {} local gen = coroutine.wrap(function() for i = 1, 9 do "
     "coroutine.yield(i) end end)\n"
     "local lazy = setmetatable({}, {__index = function(t, k) local v = gen() rawset(t, "
     "k, v) return v end, __call = function(_, ...) return gen() + select('#', ...) end})\n"
     "out[#out + 1] = lazy.a + lazy.b + lazy.a + lazy(1, 2)\n"
     "local proxy = setmetatable({}, {__pairs = function() return "
     "coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i, gen()) end end) end, "
     "__len = function() return gen() end,\n"
     "  __concat = function(a, b) return 'c' .. gen() end, __eq = function() return gen() "
     "> 5 end, __lt = function() return gen() > 100 end})\n"
     "for k, v in pairs(proxy) do out[#out + 1] = k .. '=' .. v end out[#out + 1] = "
     "#proxy out[#out + 1] = proxy .. 'x'\n"
     "out[#out + 1] = tostring(proxy == setmetatable({}, getmetatable(proxy))) return "
     "table.concat(out, ' ')\n"},
    {"order of evaluation and multiple values",
     "local log = {} local function v(x) log[#log + 1] = x return x end\n"
     "local t = {v(1), [v 'k'] = v(2), v(3)} t[v(4)], t[v(5)] = v(6), v(7)\n"
     "local function many() return 1, 2, 3 end local a, b, c, d = v(8), many() local e, f "
     "= (many())\n"
     "log[#log + 1] = select('#', many(), many()) log[#log + 1] = #{many(), many(), "
     "(many())}\n"
     "log[#log + 1] = tostring(d) .. tostring(f) local i = 3 i, t[i] = i + 1, 20 log[#log "
     "+ 1] = t[3]\n"
     "log[#log + 1] = tostring(v(false) and v(9) or v(10)) log[#log + 1] = "
     "string.format('%d %s %q', 3, 'x', 'y')\n"
     "return table.concat(log, ' ')\n"},
    {"numbers and strings as Lua makes them of each other",
     "local out = {10 // 3, -10 // 3, 10.0 // 3, -7 % 3, 7 % -3, 2 ^ 10, 1 / 2, 3 | 4, "
     "'10' + 5, '0x10' * 1, 10 .. 20, 1e15, 2 ^ 53, math.maxinteger + 1 == "
     "math.mininteger}\n"
     "for i = 1, #out do out[i] = tostring(out[i]) end\n"
     "out[#out + 1] = tostring(1 < 1.5) .. tostring('a' < 'b') .. "
     "tostring(math.type(3.0)) .. tostring(3 == 3.0)\n"
     "out[#out + 1] = select(2, pcall(function() return 'a' + 1 end)):gsub('^.-: ', '') "
     "out[#out + 1] = select(2, pcall(function() return 1 < 'x' end)):gsub('^.-: ', '')\n"
     "for p, c in utf8.codes('\\xC3\\xA4b') do out[#out + 1] = p .. ':' .. c end return "
     "table.concat(out, ' ')\n"},
};

static void run_at(const struct program *program, unsigned every, char *outcome, size_t room)
{
    tasks.runtime.slice.every = every;
    tasks_start(program->code);
    tasks_run();
    tasks.runtime.slice.every = 0;
    if (tasks.status != LUA_OK) {
        fail_msg("%s, preempted after %u instructions: %s", program->name, every, tasks.outcome);
    }
    (void)snprintf(outcome, room, "%s", tasks.outcome);
}

static void every_program_gives_the_same_however_often_it_is_preempted(void **state)
{
    static const unsigned slices[] = {1, 2, 7};
    (void)state;
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        char whole[TASKS_TOLD_MAX];
        char cut[TASKS_TOLD_MAX];
        run_at(&programs[i], 0, whole, sizeof(whole));
        assert_int_equal(tasks.preempted, 0);
        for (size_t j = 0; j < sizeof(slices) / sizeof(slices[0]); j++) {
            run_at(&programs[i], slices[j], cut, sizeof(cut));
            if (strcmp(whole, cut) != 0) {
                fail_msg("%s, preempted after %u instructions:\n%s\nnot\n%s", programs[i].name,
                         slices[j], cut, whole);
            }
            assert_true(tasks.preempted > 0 || slices[j] > 1); /* one may be too short */
            tasks.preempted = 0;
        }
    }
}

/* By the timer's signal, which comes anywhere: in Lua's own code as well. */
static void a_fast_timer_changes_nothing_either(void **state)
{
    enum { TICK_US = 20, ROUNDS = 100 };
    (void)state;
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        char whole[TASKS_TOLD_MAX];
        char cut[TASKS_TOLD_MAX];
        tasks.runtime.slice.limit_ticks = UINT_MAX;
        run_at(&programs[i], 0, whole, sizeof(whole));
        tasks.runtime.slice.tick_us = TICK_US;
        tasks.runtime.slice.limit_ticks = 1;
        for (int round = 0; round < ROUNDS; round++) {
            run_at(&programs[i], 0, cut, sizeof(cut));
            assert_string_equal(whole, cut);
        }
    }
    assert_true(tasks.preempted > 0);
}

/* A state as the lua5.4 program has it. */
static void every_program_gives_what_lua_itself_gives(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        char ours[TASKS_TOLD_MAX];
        run_at(&programs[i], 0, ours, sizeof(ours));
        lua_State *L = luaL_newstate();
        luaL_openlibs(L);
        lua_State *inner = lua_newthread(L);
        int count = 0;
        assert_int_equal(luaL_loadbuffer(inner, programs[i].code, strlen(programs[i].code), "=t"),
                         LUA_OK);
        assert_int_equal(lua_resume(inner, L, 0, &count), LUA_OK);
        if (strcmp(ours, lua_tostring(inner, -1)) != 0) {
            fail_msg("%s: %s\nnot\n%s", programs[i].name, ours, lua_tostring(inner, -1));
        }
        lua_close(L);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tasks_set_up, tasks_tear_down)
        TEST(every_program_gives_the_same_however_often_it_is_preempted),
        TEST(a_fast_timer_changes_nothing_either),
        TEST(every_program_gives_what_lua_itself_gives),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
