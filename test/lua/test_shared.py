"""Dictionaries in shared memory, as one worker sees them."""
import pytest

from app_process import AppProcess
from handler_rows import app_of, names

HEAD = '''
local d = fsd.shared("cache")
local small = fsd.shared.open("small")
local function said(f, ...)
  local _, err = fsd.try(f, ...)
  return { err.name, err.code, err.message, err.status }
end
local function refusal(f, ...)
  local _, err = pcall(f, ...)
  return (tostring(err):gsub("^.-: ", "", 0))
end
'''

ROWS = [
    ("what_is_not_there_is_nil", 'return { d:get("nothing") == nil, select("#", d:get("nothing")) }', [True, 1]),
    ("each_kind_of_value_comes_back", '''
        local values = { true, false, 0, -1, math.maxinteger, math.mininteger, 1.5, 0.0, "", "text", "a\\0b", ("x"):rep(100000) }
        local same = json.array{}
        for i, value in ipairs(values) do
          d:set("v", value)
          local got = d:get("v")
          same[i] = got == value and math.type(got) == math.type(value)
        end
        return same''', [True] * 12),
    ("a_table_comes_back_as_a_copy", '''
        local t = { list = { 1, 2, { deep = true } }, [7] = "seven", empty = json.array{} }
        d:set("t", t)
        t.list[1] = "changed"
        local one, other = d:get("t"), d:get("t")
        other.list[1] = "changed as well"
        return { one.list[1], one.list[3].deep, one[7], json.encode(one.empty), one ~= other }''', [1, True, "seven", "[]", True]),
    ("set_says_that_it_is_done", 'return { d:set("a", 1) }', [True, False]),
    ("set_of_nil_needs_to_be_said", 'd:set("a", 1); local r = d:set("a", nil); return { r, d:get("a") == nil }', [True, True]),
    ("add_is_for_what_is_not_there", 'd:delete("a"); return { d:add("a", 1), (d:add("a", 2)), d:get("a") }', [True, False, 1]),
    ("replace_is_for_what_is_there", '''d:delete("a"); local r = (d:replace("a", 1)); d:set("a", 2)
        return { r, (d:replace("a", 3)), d:get("a") }''', [False, True, 3]),
    ("delete_says_whether_it_was_there", 'd:set("a", 1); return { d:delete("a"), d:delete("a") }', [True, False]),
    ("incr_needs_a_number_to_start_with", '''d:delete("n"); local none = d:incr("n", 1)
        return { none == nil, (d:incr("n", 2, 10)), (d:incr("n", -5)), (d:incr("n", 0.5)), math.type(d:get("n")) }''',
     [True, 12, 7, 7.5, "float"]),
    ("incr_of_something_else_is_an_error", 'd:set("n", "7"); return said(d.incr, d, "n", 1)',
     ["SharedError", "shared.not_a_number", 'cannot add to what is no number in the shared dictionary "cache"', 500]),
    ("a_time_to_live_ends", '''d:set("t", 1, 0.02); local before = d:get("t"); fsd.task.sleep(0.04)
        return { before, d:get("t") == nil, d:ttl("t") == nil }''', [1, True, True]),
    ("ttl_says_what_is_left", '''d:set("t", 1, 100); local left = d:ttl("t"); d:set("t", 1)
        return { left > 99 and left <= 100, d:ttl("t") == math.huge, d:ttl("nothing") == nil }''', [True, True, True]),
    ("expire_changes_it", '''d:set("t", 1, 0.01); local r = d:expire("t"); fsd.task.sleep(0.03)
        return { r, d:get("t"), d:expire("t", 50), d:ttl("t") < 51, d:expire("nothing", 1) }''', [True, 1, True, True, False]),
    ("incr_keeps_the_time_to_live", '''d:delete("n"); d:incr("n", 1, 0, 100); d:incr("n", 1, 0, 5000)
        return { d:ttl("n") <= 100 }''', [True]),
    ("a_huge_time_to_live_has_no_end", 'd:set("t", 1, math.huge); return { d:ttl("t") == math.huge }', [True]),
    ("cas_needs_the_present_value", '''d:delete("c")
        return { (d:cas("c", "x", 1)), (d:cas("c", nil, "one")), (d:cas("c", nil, "two")), (d:cas("c", "one", 2)),
          (d:cas("c", 2.0, 3)), d:get("c"), (d:cas("c", 3, nil)), d:get("c") == nil }''',
     [False, True, False, True, True, 3, True, True]),
    ("keys_are_listed", '''small:flush_all(); for i = 1, 300 do small:set("k" .. i, i) end
        local keys, few = small:keys(), small:keys(10)
        local seen, count = {}, 0
        for _, key in ipairs(keys) do if not seen[key] and small:get(key) then seen[key] = true; count = count + 1 end end
        return { #keys, count, #few }''', [300, 300, 10]),
    ("flush_all_deletes_everything", 'd:set("a", 1); d:flush_all(); return { d:get("a") == nil, #d:keys(), d:info().entries }',
     [True, 0, 0]),
    ("what_was_not_used_makes_room", '''small:flush_all()
        local evicted, i = false, 0
        while not evicted do i = i + 1; _, evicted = small:set("k" .. i, i) end
        return { small:get("k1") == nil, small:get("k2"), small:info().evictions > 0, small:info().used <= small:info().capacity }''',
     [True, 2, True, True]),
    ("info_has_numbers", '''local i = small:info()
        return { i.name, i.capacity > 50000, math.type(i.used), i.resets }''', ["small", True, "integer", 0]),
    ("too_large_a_value_is_an_error", 'return { said(d.set, d, "a", ("x"):rep(1048577))[2], said(small.set, small, "a", ("x"):rep(40000))[2] }',
     ["shared.too_large", "shared.too_large"]),
    ("too_large_a_table_is_an_error", '''local t = {} for i = 1, 20 do t[i] = ("x"):rep(60000) end
        return { said(d.set, d, "a", t)[2], (d:set("a", { 1 })), d:get("a")[1] }''', ["shared.too_large", True, 1]),
    ("an_unknown_name_is_an_error", 'return said(fsd.shared, "nope")',
     ["SharedError", "shared.unknown", 'there is no shared dictionary "nope": name it in the section "shared" of the '
      'configuration, or with fsd run --shared nope', 500]),
    ("it_says_what_it_is", 'return { tostring(d) }', ['fsd.shared dictionary "cache"']),
    ("a_lease_is_for_one", '''local lease = d:try_lock("job")
        local other = d:try_lock("job")
        local ours, again = lease:unlock(), lease:unlock()
        local third = d:try_lock("job")
        return { other == nil, ours, again, third ~= nil, third:unlock() }''', [True, True, False, True, True]),
    ("a_lease_ends_with_its_time_and_can_be_made_longer", '''local short = d:try_lock("job", { ttl = 0.02 })
        local long = d:try_lock("other", { ttl = 0.02 })
        local extended = long:extend(50)
        fsd.task.sleep(0.04)
        local next = d:try_lock("job")
        return { extended, short:extend(1), short:unlock(), next:unlock(), long:unlock() }''', [True, False, False, True, True]),
    ("a_lease_is_given_back_at_the_end_of_its_block", '''
        pcall(function() local lease <close> = d:try_lock("job"); error("x") end)
        local lease <close> = d:try_lock("job")
        return { lease ~= nil }''', [True]),
    ("a_lease_is_no_key", 'd:flush_all(); local l <close> = d:try_lock("a"); return { d:get("a") == nil, #d:keys() }', [True, 0]),
    ("keys_that_are_numbers_are_texts", 'd:set(12, "x"); return { d:get("12") }', ["x"]),
]

REFUSED = [
    ("a_dot_for_a_colon", 'd.get("a")', "bad argument #1"),
    ("an_empty_key", 'd:get("")', "a key has 1 to 1024 bytes"),
    ("a_long_key", 'd:get(("x"):rep(1025))', "a key has 1 to 1024 bytes"),
    ("a_key_of_another_type", "d:get({})", "string expected, got table"),
    ("no_value", 'd:set("a")', "value expected"),
    ("a_function", 'd:set("a", print)', "cannot store a function"),
    ("a_function_deep_inside", 'd:set("a", { b = { print } })', 'cannot send a function at "b[1]"'),
    ("a_circle", 'local t = {}; t.t = t; d:set("a", t)', "cannot send"),
    ("nil_to_add", 'd:add("a", nil)', "cannot store a nil"),
    ("no_time_to_live", 'd:set("a", 1, 0)', "a time to live is more than 0 seconds"),
    ("a_negative_time_to_live", 'd:expire("a", -1)', "a time to live is more than 0 seconds"),
    ("a_time_that_is_no_number", 'd:set("a", 1, 0/0)', "a time to live is more than 0 seconds"),
    ("adding_a_text", 'd:incr("a", "1")', "number expected, got string"),
    ("starting_with_a_text", 'd:incr("a", 1, "0")', "number expected, got string"),
    ("comparing_a_table", 'd:cas("a", {}, 1)', "a table cannot be compared"),
    ("no_new_value", 'd:cas("a", 1)', "value expected"),
    ("no_keys", "d:keys(0)", "at least one key"),
    ("options_that_are_none", 'd:try_lock("a", 5)', "table expected, got number"),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    refused = [(row[0], f"return {{ refusal(function() {row[1]} end) }}") for row in REFUSED]
    process = AppProcess(tmp_path_factory.mktemp("shared"), app_of([*ROWS, *refused], HEAD))
    try:
        yield process.start_ready(["--shared", "cache=4MiB,small=64KiB"])
    finally:
        process.kill()


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_values(app, row):
    answer = app.get("/" + row[0])
    assert answer.status == 200, answer.text
    assert answer.json() == row[2]


@pytest.mark.parametrize("row", REFUSED, ids=names(REFUSED))
def test_mistakes_are_refused(app, row):
    answer = app.get("/" + row[0])
    assert answer.status == 200, answer.text
    assert row[2] in answer.json()[0]
