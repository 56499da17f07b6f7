"""Which handler a request meets: paths, methods, order, and what nobody serves."""
import pytest

from handler_rows import app_of

ROUTES = '''
local function say(word) return function(req) return { word, req.params } end end
app:get("/", say "root")
app:get("/users/new", say "new")
app:get("/users/:id", say "user")
app:get("/users/:first", say "second")
app:get("/late/:id", say "parameter")
app:get("/late/fixed", say "fixed")
app:get("/files/*rest", say "files")
app:get("/page{/:number}", say "page")
app:get("/:name.:ext", say "file")
app:get("/from-:a-to-:b", say "flight")
app:get([[/colon/\\:id]], say "colon")
app:get("/Case/Path", say "case")
app:get('/quoted/:"user-id"', say "quoted")
app:get("/tree/*path/end", say "tree")
app:get("/pair/*a/to/*b", say "pair")
app:get("/archive/*file.:ext", say "archive")
app:get("/v*version", say "version")
app:post("/users/:id", say "post")
app:put("/users/:id", say "put")
app:all("/any", say "any")
app:method("propfind", "/dav", say "propfind")
app:head("/headed", function(req, res) res:set("x-head", "yes"):send("") end)
app:get("/headed", say "headed")
app:options("/opted", function(req, res) res:set("allow", "ANYTHING"):send("mine") end)
app:get("/opted", say "opted")
app:get("/passes", function(req, res, next) next() end)
app:use("/below", function(req, res, next) if req.path == "/stop" then return { "below", {} } end next() end)
'''

# path, the name of the handler (None: 404), its parameters
PATHS = [
    ("/", "root", {}),
    ("/users/new", "new", {}),
    ("/users/7", "user", {"id": "7"}),
    ("/users/7/", "user", {"id": "7"}),
    ("/users/", None, {}),
    ("/users//7", None, {}),
    ("/USERS/New", "new", {}),
    ("/users/Seven", "user", {"id": "Seven"}),
    ("/late/fixed", "parameter", {"id": "fixed"}),
    ("/users/a%20b", "user", {"id": "a b"}),
    ("/users/a%2Fb", "user", {"id": "a/b"}),
    ("/users/%C3%A4", "user", {"id": "ä"}),
    ("/users/a+b", "user", {"id": "a+b"}),
    ("/users/" + "x" * 1000, "user", {"id": "x" * 1000}),
    ("/users/" + "%61" * 1000, "user", {"id": "a" * 1000}),
    ("/files/a", "files", {"rest": ["a"]}),
    ("/files/a/b%2Fc/d", "files", {"rest": ["a", "b/c", "d"]}),
    ("/files", None, {}),
    ("/tree/a/b%2Fc/end", "tree", {"path": ["a", "b/c"]}),
    ("/tree/end", None, {}),
    ("/pair/1/to/2/to/3%20/4", "pair", {"a": ["1", "to", "2"], "b": ["3 ", "4"]}),
    ("/archive/2024/report.tar.gz", "archive", {"file": ["2024", "report.tar"], "ext": "gz"}),
    ("/v1/2", "version", {"version": ["1", "2"]}),
    ("/page", "page", {}),
    ("/page/3", "page", {"number": "3"}),
    ("/page/3/4", None, {}),
    ("/report.pdf", "file", {"name": "report", "ext": "pdf"}),
    ("/from-berlin-to-rome", "flight", {"a": "berlin", "b": "rome"}),
    ("/colon/:id", "colon", {}),
    ("/colon/7", None, {}),
    ("/case/path", "case", {}),
    ("/quoted/7", "quoted", {"user-id": "7"}),
    ("/any", "any", {}),
    ("/below/stop", "below", {}),
    ("/below/else", None, {}),
    ("/nothing", None, {}),
    ("/passes", None, {}),
]

# a path that is wrong, a part of what is said about it
BAD_PATHS = [
    ("", 'cannot add route "": the path must start with "/"'),
    ("users", 'the path must start with "/"'),
    ("/:id?", "write"),
    ("/a(b)", '"(" at position 3'),
    ("/a+", '"+" at position 3'),
    ("/:", "position"),
    ("/*", "position"),
    ("/:a*rest", "no text between the wildcard"),
    ("/*rest:b", "no text between the parameter"),
    ("/{a", "position"),
    ("/a}", "position"),
    ("/:a:b", "no text between the parameter"),
    ("/:id/:id", "id"),
    ("/" + "x" * 2000, "longer than 1024 bytes"),
]

# code of a main file that is wrong, a part of what is said about it
BAD_CALLS = [
    ('app.get("/", print)', "call app:get(...) with a colon"),
    ('app.use(print)', "call app:use(...) with a colon"),
    ('app:get("/")', "expected 1 to 40 handlers, got 0"),
    ('app:use(fsd.mw.cors)', "this makes a handler, and is none itself: call it, as in fsd.mw.cors { ... }"),
    ('app:get("/", fsd.mw.session, print)', "call it, as in fsd.mw.session { ... }"),
    ('app:use({ print, fsd.body.json })', "call it, as in fsd.body.json { ... }"),
    ('app:use(fsd.body.multipart)', "call it, as in fsd.body.multipart { ... }"),
    ('app:use("/files", fsd.static)', 'call it, as in fsd.static("public")'),
    ('app:get("/", fsd.respond)', 'call it, as in fsd.respond("text")'),
    ('app:get("/", nil)', "handler must be a function, got nil"),
    ('app:get("/", "text")', "handler must be a function, got string"),
    ('app:get("/", print, { body = {} }, print)', "handler must be a function, got table: options of a route stand right behind its path, "
     "fsd.schema.handler { ... } checks anywhere"),
    ('app:use(function(err, req, res, next) end)', "a handler takes req, res and next, this one 4 parameters; one that takes an error is "
     "registered by app:on_error"),
    ('app:get("/", print, { function(a, b, c, d, e) end })', "this one 5 parameters"),
    ('app:get(print)', "string expected"),
    ('app:use()', "expected 1 to 40 handlers, got 0"),
    ('app:use("/x")', "expected 1 to 40 handlers, got 0"),
    ('app:method("GE T", "/", print)', "not an HTTP method"),
    ('app:method("", "/", print)', "not an HTTP method"),
    ('app:on_error(nil)', "handler must be a function, got nil"),
    ('app:on_error(fsd.respond("x"))', "handler must be a function"),
    ('app:not_found(7)', "handler must be a function, got number"),
    ('fsd.respond()', "string expected"),
    ('fsd.respond("x", { status = 700 })', "status must be 200 to 599"),
    (r'fsd.respond("x", { type = "a\r\n" })', "type has control characters"),
]


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of([], ROUTES))


@pytest.fixture(scope="module")
def checks(serve):
    """An application that tries each wrong path and call while it loads, and tells what was said."""
    paths = [f"check(function() app:get([=[{path}]=], print) end)" for path, _ in BAD_PATHS]
    calls = [f"check(function() {code} end)" for code, _ in BAD_CALLS]
    app = serve(app_of([], "\n".join([
        "local said = json.array{}",
        "local function check(f) local _, err = fsd.try(f); said[#said + 1] = err and err.message or 'nothing' end",
        *paths, *calls, 'app:get("/said", function() return said end)'])))
    return app.get("/said").json()


@pytest.mark.parametrize("path, word, params", PATHS, ids=[path[:30] for path, _, _ in PATHS])
def test_path_meets_the_first_route_that_matches(app, path, word, params):
    answer = app.get(path)
    if word is None:
        assert (answer.status, answer.json()) == (404, {"error": "Not Found"})
    else:
        assert (answer.status, answer.json()) == (200, [word, params])


@pytest.mark.parametrize("number", range(len(BAD_PATHS)), ids=[path[:20] for path, _ in BAD_PATHS])
def test_wrong_path_is_refused_with_its_reason(checks, number):
    path, message = BAD_PATHS[number]
    assert message in checks[number]
    assert path[:30] in checks[number]


@pytest.mark.parametrize("number", range(len(BAD_CALLS)), ids=[code for code, _ in BAD_CALLS])
def test_wrong_registration_is_refused_with_its_line(checks, number):
    said = checks[len(BAD_PATHS) + number]
    assert BAD_CALLS[number][1] in said
    assert said.startswith("app.lua:")


@pytest.mark.parametrize("method, path, word", [
    ("POST", "/users/7", "post"), ("PUT", "/users/7", "put"), ("PROPFIND", "/dav", "propfind"), ("GET", "/any", "any"),
    ("DELETE", "/any", "any"), ("BREW", "/any", "any"),
])
def test_method_chooses_the_route(app, method, path, word):
    assert app.request(method, path).json()[0] == word


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", "/users/7", "GET, HEAD, POST, PUT"), ("POST", "/users/new", "GET, HEAD, POST, PUT"), ("GET", "/dav", "PROPFIND"),
    ("POST", "/page", "GET, HEAD"), ("PUT", "/headed", "HEAD, GET, HEAD"), ("get", "/page", "GET, HEAD"),
])
def test_another_method_of_a_known_path_is_a_405_with_allow(app, method, path, allow):
    answer = app.request(method, path)
    if path == "/users/new":
        assert answer.json()[0] == "post"  # "/users/:id" serves it
        return
    assert (answer.status, answer.json()) == (405, {"error": "Method Not Allowed"})
    assert set(answer.headers["allow"].split(", ")) == set(allow.split(", "))


def test_allow_names_each_method_once(app):
    assert sorted(app.request("PUT", "/headed").headers["allow"].split(", ")) == ["GET", "HEAD"]


def test_options_lists_the_methods(app):
    answer = app.request("OPTIONS", "/users/7")
    assert (answer.status, answer.headers["allow"], answer.text) == (200, "GET, HEAD, POST, PUT", "GET, HEAD, POST, PUT")


def test_options_of_an_unknown_path_is_404(app):
    assert app.request("OPTIONS", "/nothing").status == 404


def test_options_may_have_a_handler(app):
    answer = app.request("OPTIONS", "/opted")
    assert (answer.headers["allow"], answer.text) == ("ANYTHING", "mine")


def test_head_is_served_by_get_without_the_body(app):
    head = app.request("HEAD", "/users/7")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(app.get("/users/7").body))


def test_head_may_have_a_handler(app):
    assert app.request("HEAD", "/headed").headers["x-head"] == "yes"


@pytest.mark.parametrize("escape", ["%zz", "%4", "%", "%00"])
def test_bad_escape_in_a_parameter_is_a_400(app, escape):
    answer = app.get("/users/" + escape)
    assert (answer.status, answer.json()) == (400, {"error": "the path has a bad %-escape"})


def test_a_path_over_the_limit_is_a_414(app):
    assert app.get("/" + "x" * 8200).status == 414
    assert app.get("/").status == 200


@pytest.mark.parametrize("accept, type", [
    ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"), ("application/json", "application/json; charset=utf-8"),
    ("*/*", "application/json; charset=utf-8"), (None, "application/json; charset=utf-8"),
])
def test_default_page_is_html_for_browsers_and_json_for_the_rest(app, accept, type):
    answer = app.get("/nothing", {"accept": accept})
    assert (answer.status, answer.headers["content-type"]) == (404, type)
    assert "Not Found" in answer.text


@pytest.fixture(scope="module")
def custom(serve):
    return serve(app_of([], '''
app:use(function(req, res, next) res:set("x-mw", "yes"); next() end)
app:get("/known", function() return "x" end)
app:get("/passes", function(req, res, next) next() end)
app:not_found(function(req, res) res:status(404); return { nothing = req.path } end)
'''))


@pytest.mark.parametrize("path", ["/nothing", "/passes"])
def test_not_found_answers_what_nobody_did_and_runs_inside_the_middleware(custom, path):
    answer = custom.get(path)
    assert (answer.status, answer.json(), answer.headers["x-mw"]) == (404, {"nothing": path}, "yes")


def test_not_found_leaves_405_alone(custom):
    assert custom.request("POST", "/known").status == 405


def test_not_found_may_be_a_native_answer(serve):
    app = serve(app_of([], 'app:not_found(fsd.respond("nothing here", { status = 404 }))'))
    answer = app.get("/x")
    assert (answer.status, answer.body) == (404, b"nothing here")


NATIVE = '''
app:get("/first", fsd.respond("first"))
app:use(function(req, res, next) res:set("x-mw", "yes"); next() end)
app:get("/behind", fsd.respond("behind", { status = 203, type = "text/x" }))
app:get("/typed", function(req, res, next) res:type("md"); next() end, fsd.respond("# typed"))
app:get("/answered", function(req, res, next) res:send("before"); next() end, fsd.respond("after"))
app:post("/first", fsd.respond("posted"))
'''

NATIVE_ANSWERS = [
    ("GET", "/first", 200, "text/plain; charset=utf-8", None, b"first"),
    ("POST", "/first", 200, "text/plain; charset=utf-8", "yes", b"posted"),
    ("GET", "/behind", 203, "text/x", "yes", b"behind"),
    ("GET", "/typed", 200, "text/markdown; charset=utf-8", "yes", b"# typed"),
    ("GET", "/answered", 200, "text/html; charset=utf-8", "yes", b"before"),
    ("HEAD", "/first", 200, "text/plain; charset=utf-8", None, b""),
    ("HEAD", "/behind", 203, "text/x", "yes", b""),
]


@pytest.fixture(scope="module")
def native(serve):
    return serve(app_of([], NATIVE))


@pytest.mark.parametrize("method, path, status, type, marked, body", NATIVE_ANSWERS)
def test_native_answer_keeps_its_place_among_the_handlers(native, method, path, status, type, marked, body):
    answer = native.request(method, path)
    assert (answer.status, answer.headers["content-type"], answer.headers.get("x-mw"), answer.body) == (status, type, marked, body)


def test_native_answer_has_the_length_of_its_body(native):
    assert native.request("HEAD", "/first").headers["content-length"] == "5"


def test_a_wrong_method_of_a_native_route_is_a_405(native):
    answer = native.request("PUT", "/first")
    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})


def test_routes_cannot_be_added_while_the_application_runs(serve):
    app = serve(app_of([("add", 'local _, err = fsd.try(app.get, app, "/x", print); return err.message')]))
    assert "cannot add to an application that is running" in app.get("/add").text
