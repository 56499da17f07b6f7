"""app:param: what becomes of the parameters of paths."""
import uuid

import pytest

from handler_rows import app_of

KINDS = '''
app:param("id", "integer"):param("price", "number"):param("key", "uuid"):param("slug", "slug")
app:get("/id/:id", function(req) return { math.type(req.params.id), req.params.id } end)
app:get("/id/:name", function(req) return { "name", req.params.name } end)
app:get("/price/:price", function(req) return { math.type(req.params.price), req.params.price } end)
app:get("/key/:key", function(req) return { req.params.key } end)
app:get("/slug/:slug", function(req) return { req.params.slug } end)
app:get("/page{/:id}", function(req) return { req.params } end)
app:post("/id/:id", function(req) return { "posted" } end)
app:post("/only/:id", function(req) return { "posted" } end)
'''

UUID = str(uuid.UUID(int=0x0190a6f2_1234_7abc_8def_0123456789ab))

# path, what is answered; None: 404
VALUES = [
    ("/id/7", ["integer", 7]), ("/id/-12", ["integer", -12]), ("/id/007", ["integer", 7]),
    ("/id/9223372036854775807", ["integer", 9223372036854775807]), ("/id/-9223372036854775808", ["integer", -9223372036854775808]),
    ("/id/9223372036854775808", ["name", "9223372036854775808"]), ("/id/1.5", ["name", "1.5"]), ("/id/x", ["name", "x"]),
    ("/id/-", ["name", "-"]), ("/id/0x10", ["name", "0x10"]), ("/id/7%20", ["name", "7 "]), ("/id/%37", ["name", "7"]),
    ("/price/1.5", ["float", 1.5]), ("/price/2", ["integer", 2]), ("/price/-1e3", ["float", -1000.0]), ("/price/1e", None),
    ("/price/.5", None), ("/price/5.", None), ("/price/nan", None), ("/price/0x1p4", None), ("/price/1e+2", ["float", 100.0]),
    ("/key/" + UUID, [UUID]), ("/key/" + UUID.upper(), [UUID.upper()]), ("/key/" + UUID[:-1], None), ("/key/" + UUID + "0", None),
    ("/key/" + UUID.replace("-", "_"), None), ("/key/" + UUID.replace("f", "g"), None),
    ("/slug/a-Post_2", ["a-Post_2"]), ("/slug/a.b", None), ("/slug/%C3%BC", None), ("/slug/" + "x" * 255, ["x" * 255]), ("/slug/" + "x" * 256, None),
    ("/page", [{}]), ("/page/3", [{"id": 3}]), ("/page/x", None),
]


@pytest.fixture(scope="module")
def kinds(serve):
    return serve(app_of([], KINDS))


@pytest.mark.parametrize("path, expected", VALUES, ids=[path[:40] for path, _ in VALUES])
def test_what_is_not_of_its_kind_does_not_match(kinds, path, expected):
    answer = kinds.get(path)
    if expected is None:
        assert answer.status == 404
    else:
        assert (answer.status, answer.json()) == (200, expected)


def test_methods_of_a_route_that_does_not_fit_are_not_offered(kinds):
    assert kinds.get("/only/x").status == 404
    assert (kinds.get("/only/7").status, kinds.get("/only/7").headers["allow"]) == (405, "POST")
    assert kinds.request("PUT", "/id/x").headers["allow"] == "GET, HEAD"


FUNCTIONS = '''
local calls = {}
local users = { ["7"] = { name = "ann" } }
app:param("user", function(req, res, value, name)
  calls[#calls + 1] = name .. "=" .. tostring(value)
  if value == "skip" then return nil, "route" end
  if value == "fail" then error { status = 418, message = "teapot" } end
  if value == "answer" then return res:status(202):send("param") end
  if value == "wait" then fsd.task.sleep(0.001) end
  return users[value] or error { status = 404, message = "no such user" }
end)
app:param("user", function(req, res, user) req.state.second = user.name end)
app:use("/users/:user", function(req, res, next) calls[#calls + 1] = "mw " .. req.params.user.name; next() end)
app:get("/users/:user", function(req) return { req.params.user.name, req.state.second, calls } end)
app:get("/users/:user/again", function(req, res, next) next() end)
app:get("/users/:user/again", function(req) return { req.params.user.name, calls } end)
app:get("/users/skip", function() return "skipped" end)
app:get("/two/:user/:other", function(req) return { req.params.user.name, req.params.other, calls } end)
app:param("other", function(req, res, value) calls[#calls + 1] = "other " .. req.params.user.name; return value:upper() end)

local inner = fsd.router { merge_params = true }
inner:get("/:user", function(req) return { req.params.user, req.params.user == "7" } end)
inner:get("/of/x", function(req) return { req.params.user.name } end)
app:use("/in/:user", inner)
app:get("/reset", function() calls = {} return "" end)
app:on_error(function(err, req, res) res:status(err.status):send(err.message) end)
'''


@pytest.fixture(scope="module")
def functions(serve):
    return serve(app_of([], FUNCTIONS))


@pytest.mark.parametrize("path, expected", [
    ("/users/7", ["ann", "ann", ["user=7", "mw ann"]]), ("/users/7/again", ["ann", ["user=7", "mw ann"]]),
    ("/two/7/x", ["ann", "X", ["user=7", "other ann"]]), ("/in/7/7", ["7", True]), ("/in/7/of/x", ["ann"]),
])
def test_function_runs_once_a_request_and_its_value_is_the_parameter(functions, path, expected):
    functions.get("/reset")
    assert functions.get(path).json() == expected


@pytest.mark.parametrize("value, status, text", [
    ("fail", 418, "teapot"), ("nobody", 404, "no such user"), ("answer", 202, "param"), ("skip", 200, "skipped"), ("%zz", 400, "the path has a bad %-escape"),
])
def test_function_may_answer_fail_or_leave_the_route(functions, value, status, text):
    answer = functions.get("/users/" + value)
    assert (answer.status, answer.text) == (status, text)


WRONG = [
    ("app:param()", "string expected"), ("app:param('id')", "function expected, got no value"), ("app:param('id', 'int')", '"integer", "number", "uuid" or "slug"'),
    ("app:param(':id', 'integer')", "without a colon"), ("app.param('id', print)", "call app:param(...) with a colon"), ("app:param('id', 5)", "function expected, got number"),
]


def test_wrong_calls_are_refused_with_their_line(serve):
    app = serve(app_of([], "\n".join([
        "local said = json.array{}", *[f"said[#said + 1] = select(2, fsd.try(function() {code} end)).message" for code, _ in WRONG],
        'app:get("/said", function() return said end)'])))
    for said, (_, message) in zip(app.get("/said").json(), WRONG):
        assert message in said and said.startswith("app.lua:")
