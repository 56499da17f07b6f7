"""fsd.mw.basic_auth and bearer_auth: who comes in, and what everybody else is told."""
import base64

import pytest

APP = r'''local fsd = require "fsd"
local app = fsd.app()
app:use("/basic", fsd.mw.basic_auth { users = { ann = "secret:with colon", ["bén"] = "pässword" }, realm = 'a "realm" \\' })
app:use("/verify", fsd.mw.basic_auth { verify = function(name, password, req)
  if name == "table" then return { id = 7 } end
  return password == name .. "!" end })
app:use("/bearer", fsd.mw.bearer_auth { token = { "first-token", "second.token==" } })
app:use("/check", fsd.mw.bearer_auth { verify = function(token) return token == "good" and { id = 8 } end })
app:use(function(req, res) return { req.user or false, req.token } end)
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


def basic(pair, scheme="Basic "):
    return {"authorization": scheme + base64.b64encode(pair.encode()).decode()}


@pytest.mark.parametrize("pair", ["ann:secret:with colon", "bén:pässword"])
def test_a_name_with_its_password_comes_in(app, pair):
    assert app.get("/basic", basic(pair)).json() == [pair.split(":")[0]]


def test_the_scheme_is_in_any_case(app):
    assert app.get("/basic", basic("ann:secret:with colon", "bAsIc  ")).status == 200


@pytest.mark.parametrize("headers", [
    {}, basic("ann:wrong"), basic("ann:"), basic("ann"), basic("eve:secret:with colon"), basic(":"), basic("ANN:secret:with colon"),
    basic("ann:secret:with colon\x00"), basic("ann:secret"), {"authorization": "Basic"}, {"authorization": "Basic !!!"},
    {"authorization": "Basic " + "A" * 5}, {"authorization": "Bearer YW5uOng="}, {"authorization": "Basic a b"}, basic("ann\n:x"),
], ids=str)
def test_others_are_asked_who_they_are(app, headers):
    answer = app.get("/basic", headers)
    assert (answer.status, answer.json()["error"]) == (401, "name and password, please")
    assert answer.headers["www-authenticate"] == r'Basic realm="a \"realm\" \\", charset="UTF-8"'


def test_a_function_may_judge(app):
    assert app.get("/verify", basic("bob:bob!")).json() == ["bob"]
    assert app.get("/verify", basic("table:x")).json() == [{"id": 7}]
    assert app.get("/verify", basic("bob:x")).status == 401


@pytest.mark.parametrize("token", ["first-token", "second.token=="])
def test_a_token_of_the_list_comes_in(app, token):
    assert app.get("/bearer", {"authorization": "Bearer " + token}).json() == [False, token]


@pytest.mark.parametrize("header, status, error", [
    (None, 401, None), ("Basic abc", 401, None), ("Bearer wrong", 401, "invalid_token"), ("Bearer first-tokenx", 401, "invalid_token"),
    ("Bearer first-toke", 401, "invalid_token"), ("Bearer", 400, "invalid_request"), ("Bearer a b", 400, "invalid_request"),
    ("Bearer a,b", 400, "invalid_request"), ("Bearerfirst-token", 401, None),
])
def test_another_token_is_refused_with_the_reason(app, header, status, error):
    answer = app.get("/bearer", {"authorization": header})
    assert answer.status == status
    assert answer.headers["www-authenticate"] == 'Bearer realm="Restricted"' + (f', error="{error}"' if error else "")


def test_a_function_may_judge_tokens(app):
    assert app.get("/check", {"authorization": "bearer good"}).json() == [{"id": 8}, "good"]
    assert app.get("/check", {"authorization": "Bearer bad"}).status == 401
