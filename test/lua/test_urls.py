"""The list of routes, and the way back from a route's name to a URL."""
import pytest

from handler_rows import app_of

ROUTES = '''
app:get("/", { name = "home" }, print)
app:get("/users/:id", { name = "user" }, print)
app:get("/page{/:number}{.:ext}", { name = "page" }, print)
app:get("/files/*path", { name = "files" }, print)
app:get("/opt{/*rest}", { name = "opt" }, print)
app:get("/pair/*a/to/*b.:ext", { name = "pair" }, print)
app:get([[/a\\:b/:"user-id"]], { name = "quoted" }, print)
app:get("{/:lang}/about", { name = "about" }, print)
app:get({ "/one/:x", "/two/:x" }, { name = "several" }, print)
local api = fsd.router()
api:get("/things/:id", { name = "thing" }, print)
api:get("/", { name = "api" }, print)
local inner = fsd.router()
inner:get("/x", { name = "home" }, print)
inner:get("/try", function(req) return { req.app:url("home"), inner:url("home"), inner:url("thing", { id = 1, version = 2 }) } end)
api:use("/inner", inner)
app:use("/api/:version", api)
local plain = fsd.router()
plain:get("/", { name = "plain" }, print)
plain:get("/page", { name = "plain page" }, print)
app:use("/plain", plain)
app:get("/no/params", { name = "literal" }, print)
app:all("/any", print)
'''

# arguments of app:url, the URL
URLS = [
    ('"home"', "/"), ('"user", { id = 7 }', "/users/7"), ('"user", { id = "a b/c&ü" }', "/users/a%20b%2Fc%26%C3%BC"),
    ('"user", { id = 7, more = 1 }', "/users/7"), ('"user", { id = 1.5 }', "/users/1.5"), ('"user", { id = true }', "/users/true"),
    ('"user", { id = "-_.!~*\'()" }', "/users/-_.!~*'()"), ('"user", { id = ("x"):rep(200) .. "/" }', "/users/" + "x" * 200 + "%2F"),
    ('"page"', "/page"), ('"page", { number = 2 }', "/page/2"), ('"page", { number = 2, ext = "html" }', "/page/2.html"),
    ('"page", { ext = "html" }', "/page.html"), ('"files", { path = { "a b", "c" } }', "/files/a%20b/c"),
    ('"files", { path = "a/b c" }', "/files/a/b%20c"), ('"files", { path = { "a/b" } }', "/files/a%2Fb"), ('"opt"', "/opt"),
    ('"opt", { rest = { 1, 2 } }', "/opt/1/2"), ('"quoted", { ["user-id"] = 3 }', "/a:b/3"), ('"about"', "/about"),
    ('"about", { lang = "de" }', "/de/about"), ('"several", { x = 1 }', "/one/1"), ('"thing", { version = "v1", id = 9 }', "/api/v1/things/9"),
    ('"api", { version = "v1" }', "/api/v1"), ('"home", nil, { q = "a b", tag = { "x", "y" }, n = 1 }', "/?n=1&q=a%20b&tag=x&tag=y"),
    ('"home", {}, {}', "/"), ('"literal"', "/no/params"), ('"plain"', "/plain"), ('"plain page", nil, { q = 1 }', "/plain/page?q=1"),
    ('"pair", { a = { 1, "a/b" }, b = { "x", "y" }, ext = "gz" }', "/pair/1/a%2Fb/to/x/y.gz"),
    ('"pair", { a = "1/2", b = "3", ext = "gz" }', "/pair/1/2/to/3.gz"),
]

WRONG = [
    ('"nobody"', 'app:url: no route has the name "nobody"'), ('"user"', 'app:url: parameter "id" of the route "user" is missing'),
    ('"user", {}', 'parameter "id" of the route "user" is missing'), ('"user", { id = {} }', 'parameter "id" must be a text or a number, got table'),
    ('"user", { id = "" }', 'parameter "id" is empty'), ('"files", { path = {} }', 'parameter "path" is empty'), ('"user", 7', "table expected"),
    ('"pair", { a = 1, ext = 2 }', 'parameter "b" of the route "pair" is missing'), ('"home", nil, 7', "table expected"), ("", "string expected"), ('"home", nil, { x = print }', 'query "x" must be a text or a number'),
    ('"thing", { id = 1 }', 'parameter "version" of the route "thing" is missing'), ('"home", nil, { 1 }', "names in a query must be strings"),
]


@pytest.fixture(scope="module")
def app(serve):
    good = ", ".join(f"app:url({arguments})" for arguments, _ in URLS)
    bad = "\n".join(f"said[#said + 1] = select(2, fsd.try(function() return app:url({arguments}) end)).message" for arguments, _ in WRONG)
    return serve(app_of([], ROUTES + f'''
app:get("/urls", function() return {{ {good} }} end)
app:get("/said", function() local said = json.array{{}}; {bad} return said end)
app:get("/routes", function() return app:routes() end)
'''))


def test_name_and_parameters_make_the_url(app):
    for (arguments, expected), url in zip(URLS, app.get("/urls").json(), strict=True):
        assert url == expected, arguments


def test_wrong_calls_say_what_is_missing(app):
    for (arguments, expected), said in zip(WRONG, app.get("/said").json(), strict=True):
        assert expected in said, arguments


def test_names_are_looked_for_where_they_are_asked_first(app):
    assert app.get("/api/v1/inner/try").status == 500  # inner:url("home") needs the version
    assert "parameter \"version\" of the route \"home\" is missing" in app.wait_record(level="error", path="/api/v1/inner/try")["msg"]


def test_routes_are_listed_in_their_order(app):
    routes = app.get("/routes").json()
    assert routes[1] == {"method": "GET", "path": "/users/:id", "name": "user", "scope": "", "where": "app.lua:" + routes[1]["where"].split(":")[1]}
    by_path = {route["path"]: route for route in routes}
    assert by_path["/api/:version/things/:id"]["scope"] == "/api/:version"
    assert by_path["/api/:version/inner/x"]["scope"] == "/api/:version/inner"
    assert by_path["/any"]["method"] == "*"
    assert [route["path"] for route in routes][:3] == ["/", "/users/:id", "/page{/:number}{.:ext}"]


def test_while_the_application_loads_routes_are_not_known(serve):
    app = serve(app_of([], '''
local said = {}
for i, f in ipairs { function() return app:url("x") end, function() return app:routes() end } do said[i] = select(2, fsd.try(f)).message end
local _, err = fsd.try(function() app:get("/a", { name = "n" }, print); app:get("/b", { name = "n" }, print) end)
said[3] = err.message
app:get("/", function() return said end)'''))
    said = app.get("/").json()
    assert "while they load, not all routes are known" in said[0] and "app:routes is for applications that run" in said[1]
    assert 'the name "n" is taken by the route at app.lua:' in said[2]
