"""fsd.mw.session: what is kept, where, for how long, and for whom not; with two workers."""
import concurrent.futures
import http.cookies
import re

import pytest

from app_process import AppProcess
from fsd_process import wait_for

APP = '''local fsd = require "fsd"
local app = fsd.app()
local SECRETS = { "the first secret, of many characters", "the second secret, of many characters" }
local paths = {}
local function mount(path, options)
  paths[#paths + 1] = path
  options.secret, options.name = options.secret or SECRETS, options.name or "sid"
  app:use(path, fsd.mw.session(options))
end
mount("/shared", {})
mount("/cookie", { store = "cookie" })
mount("/old/shared", { secret = SECRETS[2] })
mount("/old/cookie", { store = "cookie", secret = SECRETS[2] })
mount("/rolling", { rolling = true, cookie = { max_age = 60, path = "/rolling", same_site = "strict" } })
mount("/secure", { cookie = { secure = true, http_only = false, partitioned = true } })
mount("/ids", { name = "ids", genid = function(req) return "id-" .. (req:get "x-id" or "none") end })

local M = {}
function M.get(req) return { id = req.session.id, new = req.session.is_new, data = fsd.json.decode(fsd.json.encode(req.session)) } end
function M.set(req, res)
  for name, value in pairs(req.query) do req.session[name] = value ~= "" and value or nil end
  return M.get(req)
end
function M.count(req) req.session.n = (req.session.n or 0) + 1 return { req.session.n } end
function M.deep(req) req.session.deep = req.session.deep or { list = {} } table.insert(req.session.deep.list, #req.session.deep.list + 1)
  return req.session.deep end
function M.regenerate(req) req.session:regenerate { keep = req.query.keep == "1" } req.session.user = "ann" return M.get(req) end
function M.destroy(req) req.session:destroy() return M.get(req) end
function M.touch(req) req.session:touch() return 204 end
function M.save(req) req.session.x = 1 req.session:save() return M.get(req) end
function M.reload(req) req.session.x = "changed" req.session:reload() return M.get(req) end
function M.big(req) req.session.big = ("x"):rep(5000) return 204 end
function M.fails(req) req.session.x = "kept" error { status = 409, message = "no" } end
function M.stream(req, res) req.session.x = "streamed" res:write "a" req.session.x = "too late" res:write "b" end
function M.redirect(req, res) req.session.x = "redirected" res:redirect("/") end
function M.name(req) req.session.save = 1 end
function M.number(req) req.session[1] = 1 end
function M.value(req) req.session.f = print return 204 end
function M.wait(req) -- holds the request until the next one has told it to go on
  local mine, dictionary = req.query.field, fsd.shared "gate"
  dictionary:incr("arrived", 1, 0)
  while not dictionary:get "open" do fsd.task.sleep(0.001) end
  if req.session.id then req.session[mine] = "set" end
  return 204
end
for _, path in ipairs(paths) do
  for name, handler in pairs(M) do app:get(path .. "/" .. name, handler) end
end
app:get("/gate", function(req)
  local gate = fsd.shared "gate"
  if req.query.open then gate:set("open", true) elseif req.query.reset then gate:flush_all() end
  return { gate:get "arrived" or 0 }
end)
app:on_error(function(err, _, res) res:status(err.status):json { code = err.code, error = err.message } end)
return app
'''


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    process = AppProcess(tmp_path_factory.mktemp("sessions"), APP, workers=2)
    yield process.start_ready(["--shared", "sessions,gate"])
    process.kill()


class Visitor:
    def __init__(self, app, path):
        self.app, self.path, self.cookies = app, path, {}

    def get(self, what):
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.app.get(f"{self.path}/{what}", {"cookie": cookie} if cookie else {})
        for name, morsel in http.cookies.SimpleCookie(answer.headers.get("set-cookie", "")).items():
            self.cookies[name] = morsel.value
            if "1970" in morsel["expires"]:
                del self.cookies[name]
        return answer


BOTH = pytest.mark.parametrize("path", ["/shared", "/cookie"])


@BOTH
def test_fields_are_there_in_the_next_request(app, path):
    visitor = Visitor(app, path)
    assert visitor.get("set?user=ann&role=admin").json()["data"] == {"user": "ann", "role": "admin"}
    for _ in range(4):  # of either worker
        assert visitor.get("get").json()["data"] == {"user": "ann", "role": "admin"}
    visitor.get("set?role=")
    assert visitor.get("get").json()["data"] == {"user": "ann"}


@BOTH
def test_counting_goes_on(app, path):
    visitor = Visitor(app, path)
    assert [visitor.get("count").json()[0] for _ in range(10)] == list(range(1, 11))
    assert [visitor.get("deep").json()["list"] for _ in range(3)] == [[1], [1, 2], [1, 2, 3]]


@BOTH
def test_a_session_without_a_field_is_not_kept(app, path):
    answer = Visitor(app, path).get("get")
    assert (answer.json()["new"], "set-cookie" in answer.headers) == (True, False)


@BOTH
def test_what_did_not_change_sets_no_cookie(app, path):
    visitor = Visitor(app, path)
    visitor.get("set?a=1")
    assert "set-cookie" not in visitor.get("get").headers
    assert "set-cookie" not in visitor.get("set?a=1").headers


def test_a_change_of_a_kept_session_needs_no_new_cookie(app):
    visitor = Visitor(app, "/shared")
    visitor.get("set?a=1")
    assert "set-cookie" not in visitor.get("set?a=2").headers
    assert visitor.get("get").json()["data"] == {"a": "2"}


@BOTH
def test_the_cookie_is_for_http_only_and_of_this_site(app, path):
    answer = Visitor(app, path).get("set?a=1")
    assert re.fullmatch(r"sid=[\w.-]+; Path=/; HttpOnly; SameSite=Lax", answer.headers["set-cookie"])
    assert answer.headers["cache-control"] == "private"


def test_a_cookie_may_be_another_one(app):
    assert re.fullmatch(r"sid=[\w.-]+; Max-Age=60; Path=/rolling; Expires=.*; HttpOnly; SameSite=Strict",
                        Visitor(app, "/rolling").get("set?a=1").headers["set-cookie"])
    assert re.fullmatch(r"sid=[\w.-]+; Path=/; Secure; Partitioned; SameSite=Lax|sid=[\w.-]+; Path=/; Secure; SameSite=Lax; Partitioned",
                        Visitor(app, "/secure").get("set?a=1").headers["set-cookie"])


def test_a_rolling_session_sets_it_each_time(app):
    visitor = Visitor(app, "/rolling")
    visitor.get("set?a=1")
    assert "Max-Age=60" in visitor.get("get").headers["set-cookie"]


def test_touching_sets_it_again(app):
    visitor = Visitor(app, "/shared")
    visitor.get("set?a=1")
    value = visitor.cookies["sid"]
    assert visitor.get("touch").headers["set-cookie"].startswith(f"sid={value};")


@BOTH
def test_another_id_at_login(app, path):
    visitor = Visitor(app, path)
    before = visitor.get("set?cart=7").json()["id"]
    old = dict(visitor.cookies)
    after = visitor.get("regenerate").json()
    assert after["id"] != before and after["data"] == {"user": "ann"}
    assert visitor.get("get").json()["id"] == after["id"]
    if path == "/shared":  # a cookie that has everything cannot be taken back
        visitor.cookies = old
        assert visitor.get("get").json()["data"] == {}


@BOTH
def test_fields_may_stay_with_the_new_id(app, path):
    visitor = Visitor(app, path)
    visitor.get("set?cart=7")
    assert visitor.get("regenerate?keep=1").json()["data"] == {"user": "ann", "cart": "7"}
    assert visitor.get("get").json()["data"] == {"user": "ann", "cart": "7"}


@BOTH
def test_the_end_of_a_session(app, path):
    visitor = Visitor(app, path)
    visitor.get("set?a=1")
    old = dict(visitor.cookies)
    assert "1970" in visitor.get("destroy").headers["set-cookie"]
    assert visitor.cookies == {}
    if path == "/shared":
        visitor.cookies = old
        assert visitor.get("get").json()["data"] == {}


def test_an_id_that_was_not_given_out_is_not_taken_over(app):
    """Neither a made up one, nor one with the signature of another."""
    first, second = Visitor(app, "/shared"), Visitor(app, "/shared")
    first.get("set?a=1")
    second.get("set?a=2")
    id_of, signature_of = first.cookies["sid"].split("."), second.cookies["sid"].split(".")
    for forged in (f"{id_of[0]}.{signature_of[1]}", "x" * 32 + "." + id_of[1], id_of[0], id_of[0] + ".", "." + id_of[1], "", "a.b.c",
                   id_of[0] + "." + id_of[1][:-1], id_of[0].upper() + "." + id_of[1], "%00", "x" * 5000, '"' + first.cookies["sid"] + 'x"'):
        first.cookies = {"sid": forged}
        answer = first.get("get").json()
        assert answer["data"] == {} and answer["new"] is True and answer["id"] not in forged or forged == "", forged


def test_a_sealed_session_cannot_be_changed(app):
    visitor = Visitor(app, "/cookie")
    visitor.get("set?role=user")
    sealed = visitor.cookies["sid"]
    assert "role" not in sealed and "user" not in sealed
    for i in range(0, len(sealed), 7):
        visitor.cookies = {"sid": sealed[:i] + ("A" if sealed[i] != "A" else "B") + sealed[i + 1:]}
        assert visitor.get("get").json()["data"] == {}, i
    for other in (sealed[:-1], sealed + "A", sealed[1:], "x", "A" * 60):
        visitor.cookies = {"sid": other}
        assert visitor.get("get").json()["data"] == {}


def test_the_cookie_of_one_store_is_nothing_to_the_other(app):
    visitor = Visitor(app, "/cookie")
    visitor.get("set?a=1")
    visitor.path = "/shared"
    assert visitor.get("get").json()["data"] == {}


@pytest.mark.parametrize("store", ["shared", "cookie"])
def test_a_new_secret_goes_in_front_of_the_old_one(app, store):
    visitor = Visitor(app, "/old/" + store)
    visitor.get("set?a=1")
    old = visitor.cookies["sid"]
    visitor.path = "/" + store
    assert visitor.get("get").json()["data"] == {"a": "1"}
    assert visitor.cookies["sid"] != old
    assert "set-cookie" not in visitor.get("get").headers
    visitor.path = "/old/" + store
    assert visitor.get("get").json()["data"] == {}


@BOTH
def test_a_session_is_saved_whatever_answers(app, path):
    for way, status in (("fails", 409), ("redirect", 302), ("stream", 200)):
        visitor = Visitor(app, path)
        assert visitor.get(way).status == status
        assert visitor.get("get").json()["data"] == {"x": {"fails": "kept", "redirect": "redirected", "stream": "streamed"}[way]}


@BOTH
def test_saving_at_once(app, path):
    visitor = Visitor(app, path)
    assert visitor.get("save").json()["data"] == {"x": 1}
    assert visitor.get("get").json()["data"] == {"x": 1}


@BOTH
def test_reloading_forgets_what_this_request_has_changed(app, path):
    visitor = Visitor(app, path)
    visitor.get("set?x=first")
    assert visitor.get("reload").json()["data"] == {"x": "first"}
    assert visitor.get("get").json()["data"] == {"x": "first"}


def test_a_cookie_has_a_size(app):
    answer = Visitor(app, "/cookie").get("big")
    assert (answer.status, answer.json()["code"]) == (500, "session.too_large")
    assert Visitor(app, "/shared").get("big").status == 204


@pytest.mark.parametrize("way, words", [("name", "session.save is no field that can be set"), ("number", "have strings as names"),
                                        ("value", "cannot encode a function")])
def test_a_field_that_is_none_raises(app, way, words):
    answer = Visitor(app, "/shared").get(way)
    assert answer.status == 500 and words in answer.json()["error"]


def test_ids_may_be_made_otherwise(app):
    answer = app.get("/ids/set?a=1", {"x-id": "7"})
    assert answer.json()["id"] == "id-7" and answer.headers["set-cookie"].startswith("ids=id-7.")


@BOTH
def test_it_survives_a_reload(app, path):
    visitor = Visitor(app, path)
    visitor.get("set?a=1")
    app.call("reload")
    assert visitor.get("get").json()["data"] == {"a": "1"}


def test_two_requests_at_a_time_keep_both_changes(app):
    visitor = Visitor(app, "/shared")
    visitor.get("set?a=1")
    app.get("/gate?reset=1")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(visitor.get, f"wait?field={name}") for name in ("b", "c")]
        wait_for(lambda: app.get("/gate").json()[0] == 2, "both requests to have come")
        app.get("/gate?open=1")
        assert [one.result().status for one in running] == [204, 204]
    assert visitor.get("get").json()["data"] == {"a": "1", "b": "set", "c": "set"}


def test_what_was_ended_is_not_revived_by_a_request_that_began_before(app):
    visitor = Visitor(app, "/shared")
    visitor.get("set?a=1")
    old = dict(visitor.cookies)
    app.get("/gate?reset=1")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        late = Visitor(app, "/shared")
        late.cookies = dict(old)
        running = pool.submit(late.get, "wait?field=b")
        wait_for(lambda: app.get("/gate").json()[0] == 1, "the request to have come")
        visitor.get("destroy")
        app.get("/gate?open=1")
        assert running.result().status == 204
    assert late.cookies == {}
    late.cookies = old
    assert late.get("get").json()["data"] == {}


def test_many_requests_at_a_time_lose_nothing(app):
    """Each sets a field of its own in one session, by two workers."""
    visitor = Visitor(app, "/shared")
    visitor.get("set?a=1")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert {answer.status for answer in pool.map(lambda i: visitor.get(f"set?f{i}=x"), range(100))} == {200}
    assert len(visitor.get("get").json()["data"]) == 101
