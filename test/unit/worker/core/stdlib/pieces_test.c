/* Functions that work on long values: in pieces, between which others run, or not at all. */
#include "worker/core/stdlib/stdlib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test/support/lua_stdlib.h"

static void long_strings_give_what_lua_gives_and_can_be_preempted(void **state)
{
    run(*state,
        "local part = 256 * 1024\n"
        "for _, len in ipairs{ 0, 1, part - 1, part, part + 1, 3 * part, 3 * part + 7 } do\n"
        "  local text = ('aB\\xe4\\0z'):rep(len // 5 + 1):sub(1, len)\n"
        "  for _, name in ipairs{ 'upper', 'lower', 'reverse' } do\n"
        "    local wanted = lua_string[name](text)\n"
        "    local count, given = run_preempted(string[name], text)\n"
        "    assert(given == wanted and (count >= 3) == (len >= 3 * part), name .. len)\n"
        "  end\n"
        "end\n"
        "for _, name in ipairs{ 'upper', 'lower', 'reverse' } do\n"
        "  same('string', name) same('string', name, 12) same('string', name, {})\n"
        "end");
}

static void long_formats_give_what_lua_gives_and_can_be_preempted(void **state)
{
    run(*state,
        "local values = {}\n"
        "for i = 1, 5000 do values[i] = i % 3 == 0 and 'text' or i end\n"
        "local texts, numbers = { '%5.1s,', '%s' }, { '%d %%', '%-+8.3f|' }\n"
        "for _, count in ipairs{ 1, 300, 1023, 1024, 1025, 5000 } do\n"
        "  local parts = {}\n"
        "  for i = 1, count do parts[i] = (i % 3 == 0 and texts or numbers)[i % 2 + 1] end\n"
        "  local format = table.concat(parts, ('%%'):rep(10))\n"
        "  local wanted = lua_string.format(format, table.unpack(values, 1, count))\n"
        "  local preempted, given = run_preempted(string.format, format, table.unpack(values, 1, "
        "count))\n"
        "  assert(given == wanted and (count == 1024 or (preempted > 0) == (count > 1024)), "
        "count)\n"
        "end\n"
        "local text = ('x'):rep(1000000)\n"
        "for _, format in ipairs{ text, text .. '%s', '%s' .. text, text .. '%%' } do\n"
        "  local preempted, given = run_preempted(string.format, format, 'value', 'unused')\n"
        "  assert(given == lua_string.format(format, 'value', 'unused') and preempted >= 3)\n"
        "end\n"
        "for cut = 256 * 1024 - 6, 256 * 1024 + 2 do\n"
        "  local format = text:sub(1, cut) .. '%-10.3f%%%s' .. text\n"
        "  assert(string.format(format, 1.5, 'y') == lua_string.format(format, 1.5, 'y'), cut)\n"
        "end");
}

static void wrong_formats_fail_as_in_lua(void **state)
{
    run(*state, "for _, format in ipairs{ '%', '%y', '%d', '%123d', '%#-+ 0123d', 5, '%c%' } do\n"
                "  same('string', 'format', format) same('string', 'format', format, 1)\n"
                "  same('string', 'format', format, {})\n"
                "end\n"
                "same('string', 'format')\n"
                "local text = ('x'):rep(600)\n"
                "same('string', 'format', text .. '%d', 'no number')\n"
                "same('string', 'format', text .. '%')\n"
                "local long = ('x'):rep(300000)\n"
                "fails('no value', string.format, long .. '%d')\n"
                "fails('no value', string.format, long .. '%')\n"
                "fails('invalid conversion', string.format, long .. '%123d', 1)");
}

static void quoting_has_a_limit_and_plain_values_have_none(void **state)
{
    run(*state,
        "local large = ('x'):rep(4 * 1024 * 1024)\n"
        "assert(#string.format('%q', large) == #large + 2)\n"
        "fails(\"string too long for '%q'\", string.format, '%s%5.1f%q', 1, 2, large .. 'x')\n"
        "fails(\"string too long for '%q'\", string.format, ('y'):rep(300000) .. '%q', "
        "large .. 'x')\n"
        "assert(#string.format('%s%%%q', large .. 'x', 1) == #large + 3)");
}

static void formats_of_pack_and_date_have_a_limit(void **state)
{
    run(*state,
        "local format = ('x'):rep(64 * 1024)\n"
        "same('string', 'packsize', format) same('string', 'pack', format)\n"
        "same('string', 'unpack', format, format) same('os', 'date', format)\n"
        "for _, f in ipairs{ string.packsize, string.pack, string.unpack, os.date } do\n"
        "  fails('format too long (it may have 65536 bytes)', f, format .. 'x', '')\n"
        "end\n"
        "same('string', 'pack', 'c4194304', 'a') same('string', 'pack', 'c3c2z', 'a', 'b', 'c')\n"
        "same('string', 'pack', '<i4s2!8d', 1, 'ab', 2.5) same('string', 'pack', 'c2', 'abc')\n"
        "same('string', 'pack') same('string', 'pack', {}) same('string', 'unpack')\n"
        "fails('may have 4 MiB together', string.pack, 'c4194305', 'a')\n"
        "fails('may have 4 MiB together', string.pack, 'c4194304i4c1', 'a', 1, 'b')\n"
        "fails('may have 4 MiB together', string.pack, 'c99999999999999999999', 'a')\n"
        "same('os', 'date', '!%Y-%m-%d', 0) same('os', 'date', '%E') same('os', 'date', {})\n"
        "assert(os.date('*t').year > 2000 and os.date())");
}

static void characters_are_counted_as_lua_does(void **state)
{
    run(*state,
        "local part = 256 * 1024\n"
        "local function check(name, ...)\n"
        "  same('utf8', name, ...)\n"
        "end\n"
        "for _, word in ipairs{ 'a', 'a\\u{e4}', '\\u{20ac}', '\\u{1f600}b', '\\u{7fffffff}' } do\n"
        "  local text = word:rep(2 * part // #word + 5)\n"
        "  check('len', text) check('len', text, 1, -1, true) check('len', text, #word + 1)\n"
        "  check('len', text, 1, part) check('len', text, 2, -2, true) check('len', text, -part - "
        "9)\n"
        "  check('len', text .. '\\xff', 1, -1, true) check('len', text .. '\\x80', 1, -1, true)\n"
        "  check('len', text, 5, 4) check('len', text, 0) check('len', text, 1, #text + 1)\n"
        "  check('len', text, -#text - 1) check('len', text, #text + 1) check('len', text, 'x')\n"
        "  for _, count in ipairs{ 0, 1, -1, part, part + 1, -part, -part - 1, part + 77, -part - "
        "77, "
        "1 << 40, -1 << 40 } do\n"
        "    check('offset', text, count) check('offset', text, count, #word + 1)\n"
        "    check('offset', text, count, -#word) check('offset', text, count, 2)\n"
        "    check('offset', text, count, #text + 2) check('offset', text, count, -#text - 1)\n"
        "  end\n"
        "  local characters = #text // #word * lua_utf8.len(word, 1, -1, true)\n"
        "  check('offset', text, characters) check('offset', text, characters + 1)\n"
        "  check('offset', text, characters + 2) check('offset', text, -characters)\n"
        "  check('offset', text, -characters - 1)\n"
        "end\n"
        "check('len') check('len', {}) check('offset', 'a') check('offset', 'a', 'b')\n"
        "for at = part - 7, part + 7 do\n" /* a byte that is wrong, around the place of the cut */
        "  for _, byte in ipairs{ '\\x80', '\\xff', '\\xc3', '\\xf0\\x9f' } do\n"
        "    check('len', ('\\u{20ac}'):rep(part // 3):sub(1, at) .. byte .. ('a'):rep(part))\n"
        "    check('len', ('a'):rep(at) .. byte .. ('a'):rep(part))\n"
        "  end\n"
        "end\n"
        "local text = ('a'):rep(4 * part)\n"
        "assert(run_preempted(utf8.len, text) >= 4)\n"
        "assert(run_preempted(utf8.offset, text, 3 * part) >= 2)");
}

static void lists_that_lie_about_their_length_can_be_preempted(void **state)
{
    run(*state,
        "local stop = setmetatable({}, { __call = function(self) self.count = (self.count or 0) + "
        "1\n"
        "  if self.count > 100000 then error('enough', 0) end end })\n"
        "local function lying(len) return setmetatable({}, { __len = function() return len end,\n"
        "  __index = function() stop() end, __newindex = function() end }) end\n"
        "fails('enough', table.insert, lying(1 << 60), 1, 'x') stop.count = 0\n"
        "fails('enough', table.remove, lying(1 << 60), 1) stop.count = 0\n"
        "local quiet = setmetatable({}, { __len = function() return 100000 end })\n"
        "assert(run_preempted(table.insert, quiet, 1, 'x') >= 3 and quiet[1] == 'x')\n"
        "local count, removed = run_preempted(table.remove, quiet, 1)\n"
        "assert(count >= 3 and removed == 'x' and quiet[1] == nil)\n"
        "local asked = 0\n"
        "local list = setmetatable({ 'a', 'b' }, { __len = function(t) asked = asked + 1 return "
        "rawlen(t) end })\n"
        "table.insert(list, 1, 'c') assert(table.remove(list, 2) == 'a' and asked == 2)\n"
        "assert(table.concat(list) == 'cb')");
}

static void a_full_collection_finds_all_and_lets_others_run(void **state)
{
    run(*state,
        "local kept = {} for i = 1, 100000 do kept[i] = { i } end\n"
        "local weak = setmetatable({}, { __mode = 'k' })\n"
        "for i = 1, 100 do weak[{}] = true end\n"
        "local count, result = run_preempted(collectgarbage)\n"
        "assert(next(weak) == nil and result == 0 and count > 5, count)\n"
        "weak[{}] = true collectgarbage('collect') assert(next(weak) == nil)\n"
        "count, result = run_preempted(collectgarbage, 'step', 1 << 20)\n"
        "assert(result == true and count > 1)\n"
        "count, result = run_preempted(collectgarbage, 'step', 300)\n"
        "assert(type(result) == 'boolean' and count > 1)\n"
        "assert(type(collectgarbage('step')) == 'boolean' and collectgarbage('isrunning'))\n"
        "assert(collectgarbage('count') > 100)\n"
        "assert(collectgarbage('generational') == 'incremental')\n"
        "weak[{}] = true\n"
        "assert(run_preempted(collectgarbage) < 2 and next(weak) == nil)\n"
        "assert(collectgarbage('incremental') == 'generational')\n"
        "assert(run_preempted(collectgarbage) > 5)\n"
        "fails(\"invalid option 'nothing'\", collectgarbage, 'nothing')");
}

static void long_strings_are_sorted_where_it_can_be_preempted(void **state)
{
    run(*state, "local list, wanted = {}, {}\n"
                "for i = 1, 50 do list[i] = ('x'):rep(2000) .. i * 7 % 51 wanted[i] = list[i] end\n"
                "assert(run_preempted(table.sort, list) > 0)\n"
                "lua_table.sort(wanted)\n"
                "for i = 1, 50 do assert(list[i] == wanted[i]) end\n"
                "assert(run_preempted(table.sort, { 'b', 'a' }) <= 1)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_strings_give_what_lua_gives_and_can_be_preempted),
        cmocka_unit_test(long_formats_give_what_lua_gives_and_can_be_preempted),
        cmocka_unit_test(wrong_formats_fail_as_in_lua),
        cmocka_unit_test(quoting_has_a_limit_and_plain_values_have_none),
        cmocka_unit_test(formats_of_pack_and_date_have_a_limit),
        cmocka_unit_test(characters_are_counted_as_lua_does),
        cmocka_unit_test(lists_that_lie_about_their_length_can_be_preempted),
        cmocka_unit_test(a_full_collection_finds_all_and_lets_others_run),
        cmocka_unit_test(long_strings_are_sorted_where_it_can_be_preempted),
    };
    return cmocka_run_group_tests(tests, open_state, close_state);
}
