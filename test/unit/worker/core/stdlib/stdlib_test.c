#include "worker/core/stdlib/stdlib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test/support/lua_stdlib.h"

static void strings_use_ours_as_methods(void **state)
{
    run(*state, "assert(('').find == string.find and string.find ~= lua_string.find)\n"
                "assert(('a,b'):find(',') == 2 and ('a1'):match('%d') == '1' and ('aa'):gsub('a', "
                "'b') == 'bb')");
}

static void random_patterns_give_what_lua_gives(void **state)
{
    run(*state, "math.randomseed(tonumber(os.getenv('SEED') or 42))\n"
                "local R = math.random\n"
                "local parts = {'a', 'b', 'c', '.', '%a', '%d', '%s', '%W', '%z', '%.', '%%', "
                "'[ab]', '[^a]', '[a-c]', '[%d_]', '[]]', '[^]]', '[a-]',\n"
                "  '[-a]', '[%a-z]', '[a-%%]', '[+-%%]', '[%]]', '(', ')', '()', '%1', '%2', '%0', "
                "'%b()', '%bab', '%f[a]', '%f[^%w]', '^', '$', '[',\n"
                "  ']', '%', '%b', '%f', '\\0', '\\255', '*', '+', '-', '?', '[^', '[%', "
                "'[\\1-\\127]', '(a', 'b)', '(.-)', '(%a*)'}\n"
                "local words = {'a', 'b', 'ab', 'abc', '(', ')', '(a)', '1', ' ', '_', '\\0', "
                "'\\255', '-', ']', '%', '^', '$', 'aaaa', '\\n'}\n"
                "local suffixes = {'', '', '', '*', '+', '-', '?'}\n"
                "local replacements = {'', 'x', '%0', '%1', '<%1%2>', '%%', '%', '%x', '\\0', 1, "
                "1.5, {}, {a = 'A', b = 1}, {a = true},\n"
                "  setmetatable({}, {__index = function(t, k) return k end}), setmetatable({}, "
                "{__index = {a = 'Z'}}),\n"
                "  function() end, function(a) return a end, function(a, b) return b end, "
                "function() return {} end, true}\n"
                "local function pick(t) return t[R(#t)] end\n"
                "local function make(from, also)\n"
                "  local t = {}\n"
                "  for _ = 1, R(0, 7) do t[#t + 1] = pick(from); t[#t + 1] = pick(also) end\n"
                "  return table.concat(t)\n"
                "end\n"
                "local function collect(gmatch, ...)\n"
                "  local found = {}\n"
                "  for a, b in gmatch(...) do found[#found + 1] = tostring(a) .. tostring(b) end\n"
                "  return table.concat(found, ' ')\n"
                "end\n"
                "lua_string.all = function(...) return collect(lua_string.gmatch, ...) end\n"
                "string.all = function(...) return collect(string.gmatch, ...) end\n"
                "for i = 1, 20000 do\n"
                "  local subject, pattern = make(words, {''}), make(parts, suffixes)\n"
                "  local init = i % 3 == 0 and R(-9, 9) or nil\n"
                "  same('string', 'find', subject, pattern, init)\n"
                "  same('string', 'find', subject, pattern, init, true)\n"
                "  same('string', 'match', subject, pattern, init)\n"
                "  same('string', 'all', subject, pattern, init)\n"
                "  same('string', 'gsub', subject, pattern, pick(replacements), i % 4 == 0 and "
                "R(-1, 3) or nil)\n"
                "end");
}

static void arguments_are_checked_as_lua_does(void **state)
{
    run(*state, "for _, name in ipairs{'find', 'match', 'gmatch', 'gsub', 'rep'} do\n"
                "  same('string', name)\n"
                "  same('string', name, 'a')\n"
                "  same('string', name, {}, 'a')\n"
                "  same('string', name, 'a', {})\n"
                "  same('string', name, 12, nil)\n"
                "end\n"
                "same('string', 'find', 121, 2)\n"
                "same('string', 'find', 'a', 'a', 'x')\n"
                "same('string', 'find', 'a', 'a', 1.5)\n"
                "same('string', 'find', 'a', 'a', math.mininteger)\n"
                "same('string', 'find', 'a', 'a', math.maxinteger)\n"
                "same('string', 'gmatch', 'a', 'a', {})\n"
                "same('string', 'gsub', 'a', 'a')\n"
                "same('string', 'gsub', 'a', 'a', false)\n"
                "same('string', 'gsub', 'a', 'a', 'x', {})\n"
                "same('string', 'gsub', 'a', 'a', 'x', '1')\n"
                "same('string', 'gsub', 'a', '(a)()', '%2%1')\n"
                "local function line(f, ...) local _, err = pcall(function(...) local r = f(...) "
                "return r end, ...) return err end\n"
                "assert(line(string.find, 'a', '[') == line(lua_string.find, 'a', '['))\n"
                "assert(line(string.gsub, 'a', '(', 'x') == line(lua_string.gsub, 'a', '(', 'x'))");
}

static void a_pattern_over_its_budget_raises_a_pattern_error(void **state)
{
    run(*state,
        "local pattern = ('a?'):rep(40) .. ('a'):rep(40)\n"
        "local ok, err = pcall(string.find, ('a'):rep(39) .. 'b', pattern)\n"
        "assert(not ok and err.name == 'PatternError' and err.code == 'pattern.budget' and "
        "err.status == 500)\n"
        "assert(err.message:find('more than 4000640 steps on a subject of 40 bytes', 1, true), "
        "err.message)\n"
        "assert(err.message:find('\"' .. pattern:sub(1, 60) .. '...\"', 1, true), err.message)\n"
        "for _, call in ipairs{string.gsub, function(s, p) return string.gmatch(s, "
        "p)() end} do\n"
        "  local _, err = pcall(call, ('a'):rep(39) .. 'b', pattern, '')\n"
        "  assert(err.code == 'pattern.budget')\n"
        "end\n"
        "local _, short = pcall(string.find, ('a'):rep(9000), 'a*a*a*b')\n"
        "assert(short.message:find('\"a*a*a*b\"', 1, true))");
}

static void sane_patterns_on_a_mebibyte_stay_within_their_budget(void **state)
{
    run(*state, "local text = ('The quick  brown fox jumps,\\n'):rep(40000)\n"
                "assert(#text > 1024 * 1024)\n"
                "assert(select(2, text:gsub('%s+', ' ')) == 200000)\n"
                "assert(select(2, text:gsub('%w+', string.upper)) == 200000)\n"
                "assert(select(2, text:gsub('', '-')) == #text + 1)\n"
                "assert(#text:match('^%s*(.-)%s*$') == #text - 1)\n"
                "assert(text:match('^(.*),%s*$') and text:find('x.-,') and not text:find('%d'))\n"
                "local count = 0\n"
                "for _ in text:gmatch('([^\\n]*)\\n') do count = count + 1 end\n"
                "assert(count == 40000)");
}

static void what_gsub_calls_may_yield(void **state)
{
    run(*state,
        "local yield = coroutine.yield\n"
        "local function check(wanted, count, ...)\n"
        "  local resumed, text, n = run_yielding(string.gsub, ...)\n"
        "  assert(text == wanted and n == count and resumed == count, text)\n"
        "end\n"
        "check('<a>b<c>', 3, 'abc', '%a', function(c) return yield(c) ~= 'b' and '<' .. c .. '>' "
        "end)\n"
        "check('[a][b]', 2, 'ab', '(%a)()', setmetatable({}, { __index = function(_, c) return '[' "
        ".. yield(c) .. ']' end }))\n"
        "check(('x'):rep(5000), 50, ('.'):rep(50), '%.', function() yield() return ('x'):rep(100) "
        "end)\n"
        "check('Xbc', 1, 'abc', '^%a', function() yield() return 'X' end)\n"
        "local co = coroutine.create(string.gsub)\n" /* and is left alone there, or closed */
        "assert(coroutine.resume(co, 'abc', '%a', yield) and coroutine.close(co))\n"
        "local count, ok, err = run_yielding(pcall, string.gsub, 'abc', '%a', function() yield() "
        "return {} end)\n"
        "assert(count == 1 and not ok and err:find('invalid replacement value (a table)', 1, "
        "true))\n"
        "local count, ok, err = run_yielding(pcall, string.gsub, 'abc', '%a', function() yield() "
        "error({ code = 5 }) end)\n"
        "assert(count == 1 and not ok and err.code == 5)\n"
        "collectgarbage('collect')");
}

static void gsub_inside_gsub_keeps_both(void **state)
{
    run(*state, "local function outer(word) return (word:gsub('.', function(c) coroutine.yield() "
                "return c:upper() .. '.' end)) end\n"
                "local count, text = run_yielding(string.gsub, 'ab cd', '%a+', outer)\n"
                "assert(count == 4 and text == 'A.B. C.D.')");
}

static void long_loops_in_c_can_be_preempted(void **state)
{
    run(*state,
        "local text = ('word '):rep(200000)\n"
        "local function check(least, wanted, f, ...)\n"
        "  local preempted, value = run_preempted(f, ...)\n"
        "  assert(preempted >= least and (wanted == nil or value == wanted), preempted)\n"
        "  return value\n"
        "end\n"
        "check(5, text:upper(), string.gsub, text, 'word', 'WORD')\n"
        "check(5, text:upper(), string.gsub, text, 'word', { word = 'WORD' })\n"
        "local list = table.move({}, 1, 0, 1)\n"
        "for i = 1, 200000 do list[i] = i end\n"
        "check(5, lua_table.concat(list, ','), table.concat, list, ',')\n"
        "check(5, lua_table.concat(list), table.concat, list)\n"
        "check(1, (text .. ';'):rep(3) .. text, table.concat, { text, text, text, text }, ';')\n"
        "check(5, list, table.move, list, 1, 200000, 3)\n"
        "assert(list[3] == 1 and list[200002] == 200000 and #list == 200002)\n"
        "check(5, list, table.move, list, 3, 200002, 1)\n"
        "assert(list[1] == 1 and list[200000] == 200000 and list[200001] == 199999)\n"
        "check(5, nil, table.insert, list, 1, 'first')\n"
        "assert(#list == 200003 and list[1] == 'first' and list[2] == 1 and list[200001] == "
        "200000)\n"
        "check(5, 'first', table.remove, list, 1)\n"
        "assert(#list == 200002 and list[1] == 1 and list[200000] == 200000)\n"
        "for i = 1, 20000 do list[i] = -i end\n"
        "check(5, nil, table.sort, table.move(list, 1, 20000, 1, {}))");
}

static void strings_are_capped(void **state)
{
    run(*state, "local mib = 1024 * 1024\n"
                "assert(#('a'):rep(64 * mib) == 64 * mib and #('ab'):rep(3, ', ') == 10)\n"
                "fails('resulting string too large (string.rep makes at most 64 MiB)', string.rep, "
                "'a', 64 * mib + 1)\n"
                "fails('resulting string too large', string.rep, 'ab', math.maxinteger)\n"
                "fails('resulting string too large', string.rep, '', math.maxinteger, ',')\n"
                "fails('resulting string too large', string.rep, ('a'):rep(33 * mib), 2)\n"
                "fails('resulting string too large', string.rep, ('a'):rep(33 * mib), 1, "
                "('b'):rep(32 * mib) .. ('c'):rep(33 * mib))\n"
                "assert((''):rep(math.maxinteger) == '' and ('a'):rep(-1) == '' and ('a'):rep(0, "
                "'b') == '')\n"
                "local list = {}\n"
                "for i = 1, 65 do list[i] = ('a'):rep(mib) end\n"
                "fails('resulting string too large (table.concat makes at most 64 MiB)', "
                "table.concat, list)\n"
                "assert(#table.concat(list, '', 1, 64) == 64 * mib)\n"
                "fails('resulting string too large (gsub makes at most 64 MiB)', string.gsub, "
                "('a'):rep(mib), 'a', ('b'):rep(100))\n"
                "fails('resulting string too large (gsub makes at most 64 MiB)', string.gsub, "
                "('a'):rep(65), 'a', list[1])");
}

static void rep_gives_what_lua_gives(void **state)
{
    run(*state, "for count = -1, 9 do\n"
                "  for _, text in ipairs{'', 'a', 'abc', ('x'):rep(300)} do\n"
                "    for _, separator in ipairs{'', ',', ', '} do same('string', 'rep', text, "
                "count, separator) end\n"
                "    same('string', 'rep', text, count)\n"
                "  end\n"
                "end");
}

static void long_strings_in_lists_are_joined_as_short_ones_are(void **state)
{
    run(*state, "local long = ('0123456789'):rep(40000)\n"
                "for _, list in ipairs{ { long }, { long, long }, { 'a', long, 'b', 1, long }, { "
                "long, 'a', "
                "long }, { '', long, '' }, { 'a', long, {} }, { long, nil, long } } do\n"
                "  for _, separator in ipairs{ '', ', ', long } do\n"
                "    same('table', 'concat', list, separator)\n"
                "    same('table', 'concat', list, separator, 1, 2)\n"
                "    same('table', 'concat', list, separator, 2)\n"
                "  end\n"
                "end\n"
                "same('table', 'concat', { [math.maxinteger] = long }, '', math.maxinteger, "
                "math.maxinteger)\n"
                "assert(('%p'):format(table.concat{ long }) == ('%p'):format(long))");
}

static void lists_give_what_lua_gives(void **state)
{
    run(*state, "local proxy = setmetatable({}, { __index = function(_, i) return 'v' .. i end, "
                "__len = function() return 3 end })\n"
                "local userdata_like = debug.setmetatable(0, { __index = function(_, i) return 'n' "
                ".. i end, __len = function() return 2 end })\n"
                "for _, list in ipairs{ {}, {'a'}, {'a', 2, 3.5}, {'a', {}, 'c'}, {1, nil, 3}, "
                "proxy, 7, true, 'text' } do\n"
                "  for _, separator in ipairs{'', ', ', 5, {}} do\n"
                "    same('table', 'concat', list, separator)\n"
                "    same('table', 'concat', list, separator, 2)\n"
                "    same('table', 'concat', list, separator, 1, 2)\n"
                "    same('table', 'concat', list, separator, 3, 1)\n"
                "    same('table', 'concat', list, separator, 0, 'x')\n"
                "  end\n"
                "  same('table', 'concat', list)\n"
                "end\n"
                "same('table', 'concat', setmetatable({}, { __len = function() return 'x' end }))\n"
                "same('table', 'concat', { [math.maxinteger] = 'z' }, '', math.maxinteger, "
                "math.maxinteger)\n"
                "same('table', 'concat', { 'a', 'b' }, nil, nil, nil)\n"
                "debug.setmetatable(0, nil)\n"
                "same('table', 'concat', 7)\n"
                "same('table', 'concat')\n"
                "local function moved(move, ...) return table.concat(move({ 1, 2, 3, 4, 5 }, ...), "
                "',') end\n"
                "lua_table.moved = function(...) return moved(lua_table.move, ...) end\n"
                "table.moved = function(...) return moved(table.move, ...) end\n"
                "for first = 1, 4 do\n"
                "  for last = 0, 5 do\n"
                "    for to = 1, 6 do\n"
                "      same('table', 'moved', first, last, to)\n"
                "      same('table', 'moved', first, last, to, { 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 })\n"
                "    end\n"
                "  end\n"
                "end\n"
                "same('table', 'move', {}, 1, math.maxinteger, 2)\n"
                "same('table', 'move', {}, -1, math.maxinteger, 2)\n"
                "same('table', 'move', {}, math.mininteger, -1, 2)\n"
                "same('table', 'move', {}, 1, 2)\n"
                "same('table', 'move', 1, 1, 2, 3)\n"
                "same('table', 'move', {}, 1, 2, 3, 4)\n"
                "same('table', 'move', {}, 'a', 2, 3)\n"
                "assert(table.move(proxy, 1, 2, 1, {})[2] == 'v2')\n"
                "for _, arguments in ipairs{ {}, {{}}, {{}, 1}, {{}, 1, 2}, {{}, 2, 1}, {{}, 1, 2, "
                "3}, {{1}, 'x', 2}, {{1, 2}, 2, 3}, {5, 1} } do\n"
                "  same('table', 'insert', table.unpack(arguments))\n"
                "  same('table', 'remove', table.unpack(arguments))\n"
                "end\n"
                "local list = {}\n"
                "table.insert(list, 'b'); table.insert(list, 1, 'a'); table.insert(list, nil)\n"
                "assert(#list == 2 and table.remove(list, 1) == 'a' and table.remove(list) == 'b' "
                "and table.remove(list) == nil)");
}

static void a_length_that_is_a_lie_costs_no_room_and_no_overflow(void **state)
{
    run(*state, "local function claim(len) return setmetatable({}, { __len = function() return len "
                "end }) end\n"
                "local list = claim(math.maxinteger)\n"
                "table.insert(list, 'last')\n"
                "assert(rawget(list, math.mininteger) == 'last')\n"
                "collectgarbage()\n"
                "collectgarbage('stop')\n"
                "local before = collectgarbage('count')\n"
                "fails('attempt to compare two nil values', table.sort, claim(1 << 20))\n"
                "assert(collectgarbage('count') - before < 1024)\n"
                "collectgarbage('restart')");
}

static void sort_sorts_as_lua_does(void **state)
{
    run(*state,
        "math.randomseed(7)\n"
        "local function check(count, make, less)\n"
        "  local given, wanted = {}, {}\n"
        "  for i = 1, count do given[i] = make(i); wanted[i] = given[i] end\n"
        "  table.sort(given, less)\n"
        "  lua_table.sort(wanted, less)\n"
        "  for i = 1, count do assert(given[i] == wanted[i], count) end\n"
        "end\n"
        "local function more(a, b) return a > b end\n"
        "for _, count in ipairs{ 0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 100, 1000, 10001 } do\n"
        "  check(count, function() return math.random(1 << 40) end)\n"
        "  check(count, function() return math.random(1 << 40) end, more)\n"
        "  check(count, function() return math.random(5) end, more)\n"
        "  check(count, function(i) return i end, more)\n"
        "  check(count, function(i) return -i end, more)\n"
        "  check(count, function() return 'w' .. math.random(1000) end)\n"
        "end\n"
        "local class = { __lt = function(a, b) return a.value < b.value end }\n"
        "local list = {}\n"
        "for i = 1, 50 do list[i] = setmetatable({ value = i * 7 % 51 }, class) end\n"
        "table.sort(list)\n"
        "for i = 1, 50 do assert(list[i].value == i) end\n"
        "same('table', 'sort', 5)\n"
        "same('table', 'sort', { 1, 2 }, 5)\n"
        "same('table', 'sort', { 1 }, 5)\n"
        "same('table', 'sort', { 1, 'a' })\n"
        "same('table', 'sort', setmetatable({}, { __len = function() return 1 << 40 end }))\n"
        "local values = { 3, 1, 2 }\n"
        "local proxy = setmetatable({}, { __index = values, __newindex = values, __len = "
        "function() return 3 end })\n"
        "table.sort(proxy, more)\n"
        "assert(table.concat(values, ',') == '3,2,1')");
}

static void a_comparison_may_yield_raise_and_contradict_itself(void **state)
{
    run(*state,
        "local function list() local t = {} for i = 1, 40 do t[i] = i * 7 % 41 end return t end\n"
        "local t = list()\n"
        "local count = run_yielding(table.sort, t, function(a, b) coroutine.yield() return a < b "
        "end)\n"
        "assert(count > 40)\n"
        "for i = 1, 40 do assert(t[i] == i) end\n"
        "local class = { __lt = function(a, b) coroutine.yield() return a[1] < b[1] end }\n"
        "t = { setmetatable({ 2 }, class), setmetatable({ 1 }, class) }\n"
        "assert(run_yielding(table.sort, t) == 1 and t[1][1] == 1)\n"
        "t = list()\n"
        "local calls = 0\n"
        "fails('stop', table.sort, t, function(a, b) calls = calls + 1 if calls > 60 then "
        "error('stop') end return a < b end)\n"
        "assert(table.concat(t, ',') == table.concat(list(), ','))\n"
        "for _, word in ipairs{ true, false } do\n"
        "  t = list()\n"
        "  table.sort(t, function(a, b) assert(a and b) return word end)\n"
        "  lua_table.sort(t)\n"
        "  for i = 1, 40 do assert(t[i] == i) end\n"
        "end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_use_ours_as_methods),
        cmocka_unit_test(random_patterns_give_what_lua_gives),
        cmocka_unit_test(arguments_are_checked_as_lua_does),
        cmocka_unit_test(a_pattern_over_its_budget_raises_a_pattern_error),
        cmocka_unit_test(sane_patterns_on_a_mebibyte_stay_within_their_budget),
        cmocka_unit_test(what_gsub_calls_may_yield),
        cmocka_unit_test(gsub_inside_gsub_keeps_both),
        cmocka_unit_test(long_loops_in_c_can_be_preempted),
        cmocka_unit_test(strings_are_capped),
        cmocka_unit_test(rep_gives_what_lua_gives),
        cmocka_unit_test(long_strings_in_lists_are_joined_as_short_ones_are),
        cmocka_unit_test(lists_give_what_lua_gives),
        cmocka_unit_test(a_length_that_is_a_lie_costs_no_room_and_no_overflow),
        cmocka_unit_test(sort_sorts_as_lua_does),
        cmocka_unit_test(a_comparison_may_yield_raise_and_contradict_itself),
    };
    return cmocka_run_group_tests(tests, open_state, close_state);
}
