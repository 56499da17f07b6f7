"""Hooks, and what handlers see of the application around them."""
import pytest

from handler_rows import app_of

HOOKS = '''
local trace = json.array{}
local function note(word) return function(req, res) trace[#trace + 1] = word .. " " .. req.path end end
app:use(function(req, res, next) if req.path ~= "/trace" then trace[#trace + 1] = "mw" end next() end)
app:hook("request", note "request"):hook("pre_handler", note "pre"):hook("response", note "response")
app:hook("send", function(req, res) res:set("x-status", res.status_code):set("x-sent", "yes") end)
app:get("/plain", function() return "x" end)
app:get("/waits", function(req, res) res:send("x"); fsd.task.sleep(0.001); res.late = 1 end)
app:get("/native", fsd.respond("native"))
app:get("/raises", function() error { status = 418, message = "teapot" } end)
app:get("/pieces", function(req, res) res:write("a"); res:write("b") end)
app:get("/broken/pieces", function(req, res) res:write("a"); res:write("b") end)
app:get("/waiting/pieces", function(req, res) res:flush(); res:write("ab") end)
app:get("/events", function(req, res) local events <close> = res:sse(); events:send("x") end)
app:get("/changed", function() return "before" end)
app:get("/broken", function() return "kept" end)
app:get("/waiting", function() return "x" end)
app:hook("send", function(req, res)
  if req.path == "/changed" then res:status(201):send("after") end
  if req.path:find "^/broken" then error("broken hook") end
  if req.path:find "^/waiting" then fsd.task.sleep(0.001); res:set("x-waited", "yes") end
end)
local api = fsd.router()
api:hook("request", note "api request"):hook("pre_handler", note "api pre"):hook("send", function(req, res) res:set("x-api", "yes") end)
api:get("/x", function() return "x" end)
api:get("/stopped", function() return "never" end)
api:hook("pre_handler", function(req, res) if req.path == "/stopped" then res:status(403):send("stopped") end end)
app:use("/api", api)
app:get("/trace", function() local told = trace; trace = json.array{}; return told end)
'''


@pytest.fixture(scope="module")
def hooks(serve):
    return serve(app_of([], HOOKS))


@pytest.mark.parametrize("path, status, text", [
    ("/plain", 200, "x"), ("/waits", 200, "x"), ("/native", 200, "native"), ("/raises", 418, '{"error":"teapot"}'), ("/pieces", 200, "ab"),
    ("/none", 404, '{"error":"Not Found"}'), ("/changed", 201, "after"), ("/broken", 200, "kept"), ("/waiting", 200, "x"),
    ("/broken/pieces", 200, "ab"), ("/waiting/pieces", 200, "ab"),
])
def test_send_hooks_see_every_answer_before_it_leaves(hooks, path, status, text):
    answer = hooks.get(path)
    assert (answer.status, answer.text) == (status, text)
    assert answer.headers["x-sent"] == "yes"
    assert answer.headers["x-status"] == str(200 if path == "/changed" else status)
    assert answer.headers.get("x-waited") == ("yes" if path == "/waiting" else None)


def test_send_hooks_see_streams_of_events(hooks):
    answer = hooks.get("/events")
    assert answer.headers["x-sent"] == "yes"
    assert "data: x" in answer.text


@pytest.mark.parametrize("path, message", [("/broken", "broken hook"), ("/broken/pieces", "broken hook"),
                                           ("/waiting/pieces", "cannot wait here")])
def test_an_error_in_a_hook_is_logged(hooks, path, message):
    hooks.get(path)
    record = hooks.wait_record(level="error", path=path)
    assert "error in a hook" in record["msg"] and message in record["msg"]
    assert (record["code"], record["request_id"] != "") == ("error", True)


@pytest.mark.parametrize("path, expected", [
    ("/plain", ["request /plain", "mw", "pre /plain", "response /plain"]), ("/none", ["request /none", "mw", "response /none"]),
    ("/api/x", ["request /api/x", "mw", "api request /x", "pre /x", "api pre /x", "response /api/x"]),
    ("/api/none", ["request /api/none", "mw", "api request /none", "response /api/none"]),
])
def test_hooks_run_in_their_phases(serve, path, expected):
    app = serve(app_of([], HOOKS))
    app.get(path)
    assert [word for word in app.get("/trace").json() if "/trace" not in word] == expected


def test_hooks_of_a_router_are_for_its_routes_alone(hooks):
    assert hooks.get("/api/x").headers["x-api"] == "yes"
    assert "x-api" not in hooks.get("/plain").headers


def test_a_hook_may_answer_instead_of_the_handler(hooks):
    answer = hooks.get("/api/stopped")
    assert (answer.status, answer.text) == (403, "stopped")


AROUND = '''
app:set("title", "outer"):enable("shared")
app.locals.shop = "ours"
app.db = { name = "db" }
function app.request:is_admin() return self.query.admin == "1" end
app.request.level = 3
function app.response:teapot() return self:status(418):send("teapot") end
local sub = fsd.app { name = "sub" }
sub:set("title", "inner")
function sub.request:is_sub() return true end
sub:get("/app", function(req, res)
  return { req.app == sub, res.app == sub, req.app.name, req.app.parent == app, req.app:setting("title"), req.app:enabled("shared"),
           req:is_admin(), req:is_sub(), req.app.locals.shop == nil }
end)
local router = fsd.router()
router:get("/route/:id", { name = "the_route" }, function(req, res) return { req.route, req.app == app, req.app.db.name } end)
app:use("/sub", sub):use("/router", router)
app:use("/mw", function(req, res) return { req.route == nil, req.res == res, res.req == req } end)
app:get("/own", function(req, res) res.locals.x = 1; return { req:is_admin(), req.level, req.is_sub == nil, res.locals, req.app.locals.shop } end)
app:get("/teapot", function(req, res) res:teapot() end)
app:get("/shadow", function(req, res) req.level = 4; return { req.level } end)
'''


@pytest.fixture(scope="module")
def around(serve):
    return serve(app_of([], AROUND))


@pytest.mark.parametrize("path, expected", [
    ("/sub/app?admin=1", [True, True, "sub", True, "inner", True, True, True, True]),
    ("/router/route/7", [{"path": "/route/:id", "full_path": "/router/route/:id", "method": "GET", "name": "the_route"}, True, "db"]),
    ("/mw", [True, True, True]), ("/own", [False, 3, True, {"x": 1}, "ours"]), ("/shadow", [4]),
])
def test_handlers_see_the_application_around_them(around, path, expected):
    assert around.get(path).json() == expected


def test_applications_may_add_methods_to_res(around):
    assert (around.get("/teapot").status, around.get("/teapot").text) == (418, "teapot")


def test_handlers_can_be_composed(serve):
    app = serve(app_of([], '''
local function mark(word) return function(req, res, next) req.state.trace = (req.state.trace or "") .. word; next(); req.state.trace = req.state.trace .. word end end
local both = fsd.compose { mark "a", fsd.compose { mark "b", mark "c" } }
app:get("/flat", both, function(req) return req.state.trace end)
app:get("/leaves", fsd.compose { mark "a", function(req, res, next) next "route" end }, function() return "never" end)
app:get("/leaves", function() return "next" end)
app:get("/called", function(req, res, next) both(req, res, next); req.state.trace = nil end, function(req) return req.state.trace end)
app:get("/value", function(req, res, next) return fsd.compose { mark "a", function() return "value" end }(req, res, next) end)
app:get("/twice", function(req, res, next) fsd.compose { function(req, res, next) next() next() end } (req, res, next) end, function() return "x" end)
app:get("/wrong", function() local _, err = fsd.try(fsd.compose, {}); return err.message end)'''))
    assert app.get("/flat").text == "abc"
    assert app.get("/leaves").text == "next"
    assert app.get("/called").text == "abc"
    assert app.get("/value").text == "value"
    assert app.get("/twice").text == "x"
    assert "a list of handlers expected" in app.get("/wrong").text


def test_a_request_timeout_of_the_application_goes_before_the_pools(serve):
    app = serve(app_of([], '''
app:set("request_timeout", 0.01)
app:get("/slow", function() fsd.task.sleep(30); return "late" end)'''))
    assert app.get("/slow").status == 503
