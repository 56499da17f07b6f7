"""Middleware: the order of handlers, and what next() means."""
import pytest

from handler_rows import app_of

HELPERS = '''
local trace = json.array{}
local function note(word) trace[#trace + 1] = word end
local function around(word)
  return function(req, res, next) note(word .. ">"); next(); note("<" .. word) end
end
local function try_next(next, ...)
  local _, err = fsd.try(next, ...)
  note(err and err.message:gsub("^.-:%d+: ", "") or "fine")
end
app:get("/trace", function() local told = trace; trace = json.array{}; return told end)
app:on_error(function(err, req, res) note("error " .. err.message:gsub("^.-:%d+: ", "")); res:status(err.status):send(err.message) end)
'''

# name (the path is /NAME), registrations, status, body, trace
CHAINS = [
    ("middleware_sees_both_ways_in_the_order_of_registration", '''
      app:use(PATH, around "a"); app:use(PATH, around "b"); app:get(PATH, function() note "handler"; return "x" end)''',
     200, b"x", ["a>", "b>", "handler", "<b", "<a"]),
    ("handlers_of_one_route_run_one_after_the_other", '''
      app:get(PATH, around "a", around "b", function() note "handler"; return "x" end)''',
     200, b"x", ["a>", "b>", "handler", "<b", "<a"]),
    ("middleware_behind_a_route_is_not_run", '''
      app:get(PATH, function() note "handler"; return "x" end); app:use(PATH, around "late")''', 200, b"x", ["handler"]),
    ("a_route_may_pass_to_a_later_one", '''
      app:get(PATH, around "first"); app:get(PATH, function() return "second" end)''', 200, b"second", ["first>", "<first"]),
    ("routes_of_other_methods_are_skipped", '''
      app:post(PATH, around "post"); app:get(PATH, function() return "get" end)''', 200, b"get", []),
    ("middleware_that_does_not_call_next_ends_it", '''
      app:use(PATH, function(req, res) res:status(403):send("no") end); app:get(PATH, around "never")''', 403, b"no", []),
    ("the_answer_of_the_handler_is_known_after_next", '''
      app:use(PATH, function(req, res, next) next(); note(res.status_code .. " " .. tostring(res.headers_sent)) end)
      app:get(PATH, function(req, res) res:status(201):send("x") end)''', 201, b"x", ["201 true"]),
    ("a_value_that_middleware_returns_is_the_answer_unless_there_is_one", '''
      app:use(PATH, function(req, res, next) next(); return "late" end)
      app:get(PATH, function() return "early" end)''', 200, b"early", []),
    ("a_value_returned_after_a_silent_handler_is_the_answer", '''
      app:use(PATH, function(req, res, next) next(); return "late" end)
      app:get(PATH, function() end)''', 200, b"late", []),
    ("next_returns_nothing", '''
      app:use(PATH, function(req, res, next) note(select("#", next())) end)
      app:get(PATH, function() return "x" end)''', 200, b"x", [0]),
    ("next_twice_raises", '''
      app:use(PATH, function(req, res, next) next(); try_next(next) end)
      app:get(PATH, function() note "once"; return "x" end)''', 200, b"x", ["once", "next() was called twice by one handler"]),
    ("next_with_an_error_raises_it", '''
      app:use(PATH, function(req, res, next) next{ status = 418, message = "teapot" } end)
      app:get(PATH, around "never")''', 418, b"teapot", ["error teapot"]),
    ("next_with_text_raises_it_as_500", '''
      app:use(PATH, function(req, res, next) next("broken") end)
      app:get(PATH, around "never")''', 500, b"broken", ["error broken"]),
    ("an_error_can_be_caught_around_next", '''
      app:use(PATH, function(req, res, next) try_next(next); res:status(502):send("caught") end)
      app:get(PATH, function() error{ status = 500, message = "inside" } end)''', 502, b"caught", ["inside"]),
    ("an_error_skips_what_stands_behind_next", '''
      app:use(PATH, around "a")
      app:get(PATH, function() error{ status = 409, message = "inside" } end)''', 409, b"inside", ["a>", "error inside"]),
    ("closing_variables_run_when_an_error_passes", '''
      app:use(PATH, function(req, res, next)
        local x <close> = setmetatable({}, { __close = function() note "closed" end })
        next()
      end)
      app:get(PATH, function() error{ status = 409, message = "inside" } end)''', 409, b"inside", ["closed", "error inside"]),
    ("an_error_after_the_answer_leaves_the_answer", '''
      app:use(PATH, function(req, res, next) next(); error("late") end)
      app:get(PATH, function() return "x" end)''', 200, b"x", []),
    ("state_goes_from_handler_to_handler", '''
      app:use(PATH, function(req, res, next) req.state.user = "ann"; req.mine = 1; next() end)
      app:get(PATH, function(req) return req.state.user .. req.mine end)''', 200, b"ann1", []),
    ("a_callable_table_is_a_handler", '''
      app:get(PATH, setmetatable({ word = "called" }, { __call = function(self, req, res, next) return self.word end }))''',
     200, b"called", []),
    ("a_handler_with_varargs_gets_next", '''
      app:get(PATH, function(...) note(select("#", ...)); (select(3, ...))() end, function() return "x" end)''', 200, b"x", [3]),
    ("a_handler_of_two_parameters_gets_two", '''
      app:get(PATH, function(req, res) note(type(res)); return "x" end)''', 200, b"x", ["userdata"]),
    ("handlers_may_wait_at_every_depth", '''
      app:use(PATH, function(req, res, next) fsd.task.sleep(0.001); note "a"; next(); note "d" end)
      app:use(PATH, function(req, res, next) fsd.task.sleep(0); next(); note "c" end)
      app:get(PATH, function() fsd.task.sleep(0.001); note "b"; return "x" end)''', 200, b"x", ["a", "b", "c", "d"]),
    ("path_is_what_stands_behind_the_prefix", '''
      app:use(PATH, function(req) return req.base_url .. " " .. req.path .. " " .. req.url .. " " .. req.original_url end)''',
     200, b"/path_is_what_stands_behind_the_prefix / / /path_is_what_stands_behind_the_prefix", []),
    ("a_table_raised_with_an_error_class_of_its_own_is_text", '''
      app:get(PATH, function() error(setmetatable({}, { __tostring = function() return "mine" end })) end)''',
     500, b"mine", ["error mine"]),
    ("nil_can_be_raised", 'app:get(PATH, function() error() end)', 500, b"nil", ["error nil"]),
]

PARAMS = '''
app:use("/:section", function(req, res, next)
  local before = req.params.section
  next()
  res.after = before .. req.params.section .. tostring(req.params.id)
  assert(res.after == before .. before .. "nil", res.after)
end)
app:get("/:area/:id", function(req) return { req.params, req.params.section == nil } end)
'''


@pytest.fixture(scope="module")
def app(serve):
    rows = [registrations.replace("PATH", f'"/{name}"') for name, registrations, *_ in CHAINS]
    return serve(app_of([], HELPERS + "\n".join(rows)))


@pytest.mark.parametrize("name, registrations, status, body, trace", CHAINS, ids=[row[0] for row in CHAINS])
def test_chain(app, name, registrations, status, body, trace):
    answer = app.get("/" + name)
    assert (answer.status, answer.body) == (status, body)
    assert app.get("/trace").json() == trace


def test_params_are_those_of_the_handler_that_runs(serve):
    app = serve(app_of([], PARAMS))
    assert app.get("/shop/7").json() == [{"area": "shop", "id": "7"}, True]
    assert not [record for record in app.records() if record["level"] == "error"]


def test_next_after_the_request_is_over_raises(serve):
    app = serve(app_of([], '''
local kept
app:get("/keep", function(req, res, next) kept = next; return "x" end)
app:get("/use", function() local _, err = fsd.try(kept); return err.message end)'''))
    app.get("/keep")
    assert app.get("/use").text == "next() was called after the request was over"


def test_as_many_handlers_as_are_allowed_run_in_a_row(serve):
    app = serve(app_of([], '''
local function count(req, res, next) req.state.n = (req.state.n or 0) + 1; next() end
for i = 1, 120 do app:use(count) end
local handlers = {}
for i = 1, 39 do handlers[i] = count end
handlers[40] = function(req) return { req.state.n } end
app:get("/", table.unpack(handlers))'''))
    assert app.get("/").json() == [159]


def test_a_mounted_handler_sees_the_rest_of_the_path_and_the_others_see_all_of_it(serve):
    app = serve('''
local fsd = require "fsd"
local app = fsd.app()
local function tell(req) return table.concat({ req.base_url, req.path, req.url, req.original_url }, " ") end
app:use("/api", function(req, res, next) res:set("x-mounted", tell(req)); next(); req.state.after = tell(req) end)
app:get("/api/users/:id", function(req) return tell(req) end)
app:get("/api/raise", function() error("x") end)
app:on_error(function(err, req, res) res:send(tell(req)) end)
app:not_found(function(req, res) res:send(tell(req)) end)
return app
''')
    answer = app.get("/api/users/7?a=b")
    assert answer.headers["x-mounted"] == "/api /users/7 /users/7?a=b /api/users/7?a=b"
    assert answer.text == " /api/users/7 /api/users/7?a=b /api/users/7?a=b"
    assert app.get("/API?q").headers["x-mounted"] == "/API / /?q /API?q"
    assert app.get("/api/").headers["x-mounted"] == "/api / / /api/"
    assert app.get("/api/raise").text == " /api/raise /api/raise /api/raise"
    assert app.get("/api/none").text == " /api/none /api/none /api/none"


def test_prefix_middleware_matches_whole_segments(serve):
    app = serve(app_of([], '''
app:use("/api", function(req, res, next) res:set("x-api", "yes"); next() end)
app:all("/*rest", function() return "x" end)'''))
    marked = {path: app.get(path).headers.get("x-api") for path in ("/api", "/api/", "/api/a/b", "/API/x", "/apis", "/x/api")}
    assert marked == {"/api": "yes", "/api/": "yes", "/api/a/b": "yes", "/API/x": "yes", "/apis": None, "/x/api": None}
