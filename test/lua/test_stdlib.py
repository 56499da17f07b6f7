"""The functions of Lua's libraries that are ours, in the real worker: what waits in them, and what they refuse."""
import concurrent.futures

import pytest

from fsd_process import wait_for
from handler_rows import app_of, names

HEAD = '''
local sleep = fsd.task.sleep
local pattern = ("a?"):rep(40) .. ("a"):rep(40)
local text = ("a"):rep(39) .. "b"
local may_end = false
local function spin(...) while not may_end do end return ... end
'''

# name, handler, what it answers
ROWS = [
    ("gsub waits in its function", 'return (("a b c"):gsub("%a", function(c) sleep(0.001) return c:upper() end))', "A B C"),
    ("gsub waits in an __index",
     'return (("a b"):gsub("%a", setmetatable({}, { __index = function(_, c) sleep(0.001) return c .. c end })))', "aa bb"),
    ("gsub keeps its text over many waits",
     'return tostring(#(("x"):rep(100):gsub("x", function() sleep(0) return ("y"):rep(100) end)))', "10000"),
    ("sort waits in its comparison",
     'local t = { 3, 1, 2 } table.sort(t, function(a, b) sleep(0.001) return a < b end) return table.concat(t, " ")', "1 2 3"),
    ("sort waits in an __lt",
     'local class = { __lt = function(a, b) sleep(0.001) return a.v < b.v end }\n'
     'local t = {} for i = 1, 9 do t[i] = setmetatable({ v = 10 - i }, class) end table.sort(t) return t[1].v .. t[9].v', "19"),
    ("gmatch waits between its matches",
     'local n = 0 for word in ("a b c"):gmatch("%a") do sleep(0.001) n = n + 1 end return tostring(n)', "3"),
    ("a client may be told of a budget", 'local _, err = fsd.try(string.find, text, pattern) return err.name .. " " .. err.code',
     "PatternError pattern.budget"),
    ("a method is the same function", 'local _, err = fsd.try(text.find, text, pattern) return err.code', "pattern.budget"),
    ("rep has an end", 'local _, err = fsd.try(string.rep, "a", 1 << 40) return err.message:match("too large.*")',
     "too large (string.rep makes at most 64 MiB)"),
    ("faults name the line of the caller", 'local _, err = fsd.try(function() return ("a"):find("[") end) return err.message:match("%d: (.*)")',
     "malformed pattern (missing ']')"),
]


@pytest.fixture(scope="module")
def app(serve):
    rows = [(name.replace(" ", "-"), body) for name, body, _ in ROWS]
    rows += [
        ("spin-in-sort", "may_end = false table.sort({ 2, 1 }, spin) return 'ended'"),
        ("spin-in-gsub", "may_end = false return (('ended'):gsub('.', spin))"),
        ("stop", "may_end = true return 'told'"),
    ]
    rows.append(("over", "return text:find(pattern) and 'found'"))
    return serve(app_of(rows, HEAD))


@pytest.mark.parametrize("name, body, wanted", ROWS, ids=names(ROWS))
def test_row(app, name, body, wanted):
    assert app.get("/" + name.replace(" ", "-")).text == wanted


@pytest.mark.parametrize("path", ["/spin-in-sort", "/spin-in-gsub"])
def test_what_they_call_is_preempted(app, path):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        spinning = pool.submit(app.get, path)
        wait_for(lambda: app.get("/stop").text == "told" and spinning.done(), "the request that spins")
        assert spinning.result().text == "ended"


def test_a_request_whose_pattern_never_ends_is_answered_with_500_and_the_others_go_on(app):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(app.get, "/over") for _ in range(8)]
        assert app.get("/gsub-waits-in-its-function").text == "A B C"
        assert {answer.result().status for answer in slow} == {500}
    record = app.wait_record(path="/over", level="error")
    assert record["code"] == "pattern.budget" and "more than 4000640 steps on a subject of 40 bytes" in record["msg"]
