"""Routers and applications that are mounted: paths, order, parameters, scopes of errors and of what is missing."""
import pytest

from handler_rows import app_of

SAY = '''
local function say(word) return function(req) return { word, req.base_url, req.path, req.params } end end
local function mark(word) return function(req, res, next) req.state.trace = (req.state.trace or "") .. word; next() end end
'''

ROUTES = SAY + '''
local users = fsd.router()
users:get("/", say "users")
users:get("/:id", say "user")
app:use("/users", users)
users:get("/:id/late", say "late")          -- after it was mounted

local inner = fsd.router { merge_params = true }
inner:get("/deep/:leaf", say "deep")
local outer = fsd.router { merge_params = true }
outer:use("/in/:inner", inner)
outer:get("/", say "outer")
app:use("/out/:outer", outer)

local hidden = fsd.router()
hidden:get("/:id", say "hidden")
app:use("/of/:tenant", hidden)
local same = fsd.router { merge_params = true }
same:get("/:id", say "same")
app:use("/same/:id", same)

local twice = fsd.router()
twice:get("/x", say "twice")
app:use("/one", twice)
app:use({ "/two", "/three" }, twice)

local strict = fsd.router { strict = true, case_sensitive = true }
strict:get("/Case", say "strict")
strict:get("/", say "strict root")
app:use("/strict", strict)

local first, second = fsd.router(), fsd.router()
first:get("/passes", mark "1", mark "2")
second:get("/passes", function(req) return req.state.trace .. "3" end)
app:use("/fall", first, second)

local sub = fsd.app { name = "sub" }
sub:get("/hello", function(req) return { req.base_url, sub.mountpath, sub:path(), sub.parent == app, sub.router == sub } end)
app:use("/sub", sub)
local subsub = fsd.app()
subsub:get("/x", function(req) return { req.base_url, subsub:path() } end)
sub:use("/more", subsub)

local middle = fsd.router()
middle:use(mark "a", { mark "b", { mark "c" } })
middle:use({ "/p", "/q" }, mark "d")
middle:get({ "/p", "/q/:x", "/r" }, { mark "e", mark "f" }, function(req) return req.state.trace end)
app:use("/middle", mark "0", middle)

app:route("/book"):get(function() return "get" end):post(function() return "post" end):all(function() return "all" end)
local langs = fsd.router()
langs:get("/about", say "about")
app:use("/i18n{/:lang}", langs)
local files = fsd.router()
files:get("/", say "file")
app:use("/files/*path", files)
app:use(fsd.router():get("/plain", say "plain"))
'''

# path, what is answered
PATHS = [
    ("/users", ["users", "/users", "/", {}]), ("/users/", ["users", "/users", "/", {}]),
    ("/users/7", ["user", "/users", "/7", {"id": "7"}]), ("/USERS/7/", ["user", "/USERS", "/7/", {"id": "7"}]),
    ("/users/7/late", ["late", "/users", "/7/late", {"id": "7"}]), ("/users/7/none", None), ("/userss", None),
    ("/out/a", ["outer", "/out/a", "/", {"outer": "a"}]),
    ("/out/a/in/b/deep/c", ["deep", "/out/a/in/b", "/deep/c", {"outer": "a", "inner": "b", "leaf": "c"}]),
    ("/of/acme/7", ["hidden", "/of/acme", "/7", {"id": "7"}]), ("/same/1/2", ["same", "/same/1", "/2", {"id": "2"}]),
    ("/one/x", ["twice", "/one", "/x", {}]), ("/two/x", ["twice", "/two", "/x", {}]), ("/three/x", ["twice", "/three", "/x", {}]),
    ("/strict/Case", ["strict", "/strict", "/Case", {}]), ("/STRICT/Case", ["strict", "/STRICT", "/Case", {}]), ("/strict/case", None),
    ("/strict/Case/", None), ("/strict", ["strict root", "/strict", "/", {}]), ("/strict/", ["strict root", "/strict", "/", {}]),
    ("/fall/passes", "123"), ("/sub/hello", ["/sub", "/sub", "/sub", True, True]), ("/sub/more/x", ["/sub/more", "/sub/more"]),
    ("/middle/p", "0abcdef"), ("/middle/q/1", "0abcdef"), ("/middle/r", "0abcef"), ("/book", "get"),
    ("/i18n/about", ["about", "/i18n", "/about", {}]), ("/i18n/de/about", ["about", "/i18n/de", "/about", {}]),
    ("/files/a/b", ["file", "/files/a/b", "/", {}]), ("/plain", ["plain", "", "/plain", {}]),
]


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of([], ROUTES))


@pytest.mark.parametrize("path, expected", PATHS, ids=[path for path, _ in PATHS])
def test_mounted_route_knows_where_it_is(app, path, expected):
    answer = app.get(path)
    if expected is None:
        assert answer.status == 404
    elif isinstance(expected, str):
        assert (answer.status, answer.text) == (200, expected)
    else:
        assert (answer.status, answer.json()) == (200, expected)


def test_route_object_has_all_methods(app):
    assert [app.request(method, "/book").text for method in ("GET", "POST", "DELETE")] == ["get", "post", "all"]


LEAVING = SAY + '''
app:get("/route", function(req, res, next) next("route") end, function() return "never" end)
app:get("/route", function() return "second" end)
app:route("/object"):get(function(req, res, next) next "route" end):get(function() return "never" end)
app:get("/object", function() return "behind" end)
local gate = fsd.router()
gate:use(function(req, res, next) if req.query.go then next() else next("router") end end)
gate:get("/secret", function() return "secret" end)
gate:use(mark "never")
app:use("/gate", gate)
app:get("/gate/secret", function(req) return "closed" .. tostring(req.state.trace) end)
local outer, inner = fsd.router(), fsd.router()
inner:get("/x", function(req, res, next) next "router" end)
inner:get("/x", function() return "never" end)
outer:use("/in", inner)
outer:get("/in/x", function(req) return "outer " .. req.base_url end)
app:use("/nest", outer)
app:use("/mw", function(req, res, next) next "route" end)
app:get("/mw", function() return "next" end)
app:get("/gone", function(req, res, next) next "router" end)
app:get("/gone", function() return "never" end)
app:get({ "/list/a", "/list/:x" }, function(req, res, next) req.state.n = (req.state.n or 0) + 1; next() end)
app:get("/list/a", function(req) return { req.state.n } end)
'''


@pytest.mark.parametrize("path, expected", [
    ("/route", "second"), ("/object", "behind"), ("/gate/secret", "closednil"), ("/gate/secret?go=1", "secret"),
    ("/nest/in/x", "outer /nest"), ("/mw", "next"), ("/gone", None), ("/list/a", "[1]"),
])
def test_next_may_leave_the_route_or_the_router(leaving, path, expected):
    answer = leaving.get(path)
    assert (answer.status, answer.text) == (200, expected) if expected else answer.status == 404


@pytest.fixture(scope="module")
def leaving(serve):
    return serve(app_of([], LEAVING))


ERRORS = SAY + '''
local function answer(word)
  return function(err, req, res) res:status(err.status):json{ word, err.message, req.base_url, req.path, req.params } end
end
local function raise() error { status = 418, message = "teapot" } end
local api = fsd.router { merge_params = true }
api:get("/fail/:id", raise)
api:get("/passed", raise)
api:get("/broken", function() error { status = 418, message = "broken" } end)
api:on_error(function(err, req, res, next) if err.message == "broken" then error { status = 500, message = "handler" } end next(err) end)
api:on_error(function(err, req, res, next) if req.path == "/passed" then next(err) end answer "api" (err, req, res) end)
local deep = fsd.router()
deep:get("/fail", raise)
api:use("/deep/:x", deep)
app:use("/api/:version", api)
local own = fsd.router()
own:get("/fail", raise)
own:on_error(answer "own")
app:use("/own", own)
app:get("/fail", raise)
app:get("/caught", function(req, res, next) local _, err = fsd.try(next); return "caught " .. err.message end, raise)
app:on_error(answer "app")
'''


@pytest.mark.parametrize("path, expected", [
    ("/fail", ["app", "teapot", "", "/fail", {}]), ("/own/fail", ["own", "teapot", "/own", "/fail", {}]),
    ("/api/v1/fail/7", ["api", "teapot", "/api/v1", "/fail/7", {"version": "v1"}]),
    ("/api/v1/deep/x/fail", ["api", "teapot", "/api/v1", "/deep/x/fail", {"version": "v1"}]),
    ("/api/v1/passed", ["app", "teapot", "", "/api/v1/passed", {}]),
    ("/api/v1/broken", ["api", "handler", "/api/v1", "/broken", {"version": "v1"}]),
])
def test_errors_are_answered_where_they_happen_and_then_outward(errors, path, expected):
    assert errors.get(path).json() == expected


@pytest.fixture(scope="module")
def errors(serve):
    return serve(app_of([], ERRORS))


MISSING = SAY + '''
local api = fsd.router()
api:use(mark "a")
api:get("/known", say "known")
api:not_found(function(req, res) res:status(404):json{ "api", req.base_url, req.path, req.state.trace } end)
app:use("/api", api)
app:get("/api/behind", say "behind")
local quiet = fsd.router()
quiet:get("/x", say "x")
app:use("/quiet", quiet)
app:not_found(function(req, res) res:status(404):json{ "app", req.base_url, req.path } end)
'''


@pytest.mark.parametrize("path, expected", [
    ("/api/none", ["api", "/api", "/none", "a"]), ("/api", ["api", "/api", "/", "a"]), ("/quiet/none", ["app", "", "/quiet/none"]),
    ("/none", ["app", "", "/none"]), ("/api/behind", ["api", "/api", "/behind", "a"]),
])
def test_not_found_of_a_router_answers_below_it(missing, path, expected):
    answer = missing.get(path)
    assert (answer.status, answer.json()) == (404, expected)


def test_another_method_of_a_path_in_a_router_is_a_405(missing):
    answer = missing.request("POST", "/api/known")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.fixture(scope="module")
def missing(serve):
    return serve(app_of([], MISSING))


def test_405_can_be_a_404(serve):
    app = serve(app_of([], '''
app:set("method_not_allowed", false)
app:get("/x", function() return "x" end)'''))
    assert app.request("POST", "/x").status == 404
    assert app.request("OPTIONS", "/x").headers["allow"] == "GET, HEAD"


def test_case_and_slashes_can_count_in_an_application(serve):
    app = serve(app_of([], '''
app:enable("case_sensitive_routing"):enable("strict_routing")
app:get("/Case", function() return "x" end)
app:get("/slash/", function() return "y" end)
local sub = fsd.app()
sub:get("/Inner", function() return "z" end)
app:use("/sub", sub)
local loose = fsd.router()
loose:get("/Inner", function() return "w" end)
app:use("/Loose", loose)'''))
    status = {path: app.get(path).status for path in (
        "/Case", "/case", "/Case/", "/slash/", "/slash", "/sub/Inner", "/sub/inner", "/sub/Inner/", "/Sub/Inner", "/Loose/inner/",
        "/loose/Inner")}
    assert status == {"/Case": 200, "/case": 404, "/Case/": 404, "/slash/": 200, "/slash": 404, "/sub/Inner": 200, "/sub/inner": 404,
                      "/sub/Inner/": 404, "/Sub/Inner": 404, "/Loose/inner/": 200, "/loose/Inner": 404}


# a call that is wrong, and what is said
WRONG = [
    ('app:get("etag")', 'app:get is only a route; a setting is read by app:setting("etag")'),
    ('app:post("etag")', 'the path must start with "/"'), ('app:get("etag", print)', 'the path must start with "/"'),
    ('app:hook("sent", print)', 'the hooks are "request", "pre_handler", "send" and "response"'),
    ("local r = fsd.router(); r:use(r)", "cannot mount a router or an application in itself"),
    ("local a, b = fsd.router(), fsd.router(); a:use(b); b:use('/x', a)", "cannot mount a router or an application in itself"),
    ("app:use(app)", "cannot mount a router or an application in itself"), ("app:get('/x', fsd.router())", "mount it with app:use"),
    ("app:use('/x', {})", "handler must be a function, got table"), ("app:get({}, print)", "path expected, got an empty list"),
    ("app:get({ '/a', 1 }, print)", "a list of paths must have strings only"), ("app:use({ '/a', 'b' }, print)", "the path must start with"),
    ("app:get('/x', { print, 1 })", "handler must be a function, got number in a list"),
    ("fsd.router{ mergeparams = true }", 'fsd.router: unknown option "mergeparams"; did you mean "merge_params"?'),
    ("fsd.router{ strict = 1 }", "strict must be true or false"), ("fsd.app{ title = 'x' }", 'fsd.app: unknown option "title"'),
    ("app:get('/x', { nam = 'x' }, print)", 'a route: unknown option "nam"; did you mean "name"?'),
    ("app:get('/x', { name = 1 }, print)", "name must be a string"), ("app:get('/x', { body = 1 }, print)", "fsd.schema: a table of fields expected, got number"),
    ("local r = fsd.router(); r.get('/x', print)", "call app:get(...) with a colon"), ("app:route('x')", "the path must start with"),
    ("app:route('/x').get(print)", "call route:get(...) with a colon"), ("app:route('/x'):get()", "expected 1 to 40 handlers, got 0"),
    ("app:listen(8080)", "that is the operator's, by `fsd run -p PORT"), ("app:listen{ port = 1 }", "cannot choose where it listens"),
    ("app.locals = 1", "cannot set app.locals"), ("app.get = print", "cannot set app.get"),
]


@pytest.fixture(scope="module")
def wrong(serve):
    return serve(app_of([], "\n".join([
        "local said = json.array{}", "local function check(f) local _, err = fsd.try(f); said[#said + 1] = err and err.message or 'nothing' end",
        *[f"check(function() {code} end)" for code, _ in WRONG], 'app:get("/said", function() return said end)']))).get("/said").json()


@pytest.mark.parametrize("number", range(len(WRONG)), ids=[code for code, _ in WRONG])
def test_wrong_mounting_is_refused_with_its_line(wrong, number):
    assert WRONG[number][1] in wrong[number]
    assert wrong[number].startswith("app.lua:")


def test_paths_that_fit_only_alone_are_refused_with_the_place(serve_refused):
    log = serve_refused(app_of([], '''
local r = fsd.router()
r:get("/more", print)
app:use("/files/*path", r)'''))
    assert "nothing may follow the wildcard" in log
    assert "app.lua:" in log


def test_routers_are_mounted_behind_wildcards(serve):
    app = serve(app_of([], '''
local r = fsd.router { merge_params = true }
local function seen(req) return { req.base_url, req.path, req.params } end
r:get("/", seen)
r:get("/*page/edit", seen)
app:use("/*tenant/admin", r)'''))
    assert app.get("/a/b/admin").json() == ["/a/b/admin", "/", {"tenant": ["a", "b"]}]
    assert app.get("/a/admin/x/y/edit?q").json() == ["/a/admin", "/x/y/edit", {"tenant": ["a"], "page": ["x", "y"]}]
    assert [app.get(path).status for path in ("/admin", "/a/admin/edit", "/a/admins")] == [404] * 3


def test_routers_nest_up_to_a_depth(serve_refused):
    log = serve_refused(app_of([], '''
local r = fsd.router()
for i = 1, 8 do local around = fsd.router(); around:use("/" .. i, r); r = around end
app:use(r)'''))
    assert "routers are mounted in each other more than 7 deep" in log


def test_too_many_handlers_for_one_request_are_an_error_of_it_alone(serve):
    app = serve(app_of([], '''
local function pass(req, res, next) next() end
for i = 1, 3 do
  local r = fsd.router()
  for j = 1, 60 do r:use(pass) end
  app:use("/deep", r)
end
app:get("/deep/x", function() return "x" end)
app:get("/x", function() return "x" end)
app:on_error(function(err, req, res) res:status(500):send(err.message) end)'''))
    answer = app.get("/deep/x")
    assert answer.status == 500
    assert "more than 170 handlers for one request" in answer.text
    assert app.get("/x").text == "x"


def test_bad_escape_is_a_400_before_the_handler_runs(serve):
    app = serve(app_of([], '''
app:get("/users/:id", function() return "unread" end)
app:get("/files/*path", function() return "unread" end)'''))
    assert [app.get(path).status for path in ("/users/%zz", "/users/%41", "/files/a/%", "/files/a%2Fb")] == [400, 200, 400, 200]


def test_wildcards_are_lists_that_are_paths_as_text(serve):
    app = serve(app_of([], '''
app:get("/files/*path", function(req) return { tostring(req.params.path), #req.params.path, req.params.path } end)'''))
    assert app.get("/files/a/b%2Fc").json() == ["a/b/c", 2, ["a", "b/c"]]
