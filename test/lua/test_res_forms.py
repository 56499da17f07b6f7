"""Answers whose form depends on the request: res:format, res:jsonp, res:redirect, res:redirect_back; and res:stream."""
import pytest

APP = r'''
local fsd = require "fsd"
local app = fsd.app()

app:get("/format", function(req, res)
  return res:format {
    html = function(_, r) r:send("<p>") end,
    json = function() return { form = "json" } end,
    text = function(q, r) r:send(q.path) end,
  }
end)
app:get("/ordered", function(req, res)
  res:vary("Origin"):format {
    { "text", function(_, r) r:send("text") end },
    { "application/vnd.x+json", function(_, r) r:send("{}") end },
    html = function(_, r) r:send("html") end,
    default = function(_, r) r:send("default") end,
  }
end)
app:get("/none", function(req, res) res:format { default = function(_, r) r:send("only") end } end)
app:get("/unknown", function(req, res) res:format { jsn = print } end)
app:get("/jsonp", function(req, res) res:jsonp{ a = "<\u{2028}>" } end)
app:get("/jsonp_type", function(req, res) res:type("application/x"):jsonp(1) end)
app:get("/old", function(req, res) res:redirect(req.query.to or "/new<>") end)
app:get("/back", function(req, res) res:redirect_back("/home") end)
app:get("/back303", function(req, res) res:redirect_back(303, "/home") end)
app:get("/stream", function(req, res)
  res:type("txt"):stream(function(w)
    assert(w == res)
    w:write("a")
    fsd.task.yield()
    w:write("b")
  end)
  assert(res.headers_sent)
end)
app:get("/finished", function(req, res) res:stream(function(w) w:finish("early") end) end)
app:get("/torn", function(req, res) res:stream(function(w) w:write("a") fsd.task.sleep(0) error("torn") end) end)
app:get("/nothing", function(req, res) res:stream(function() end) end)
app:get("/hints", function(req, res)
  assert(res:early_hints{ link = "</a.css>; rel=preload" } == res)
  local ok, err = pcall(res.early_hints, res, { link = "\r\n" })
  assert(not ok and err:find("cannot set a header", 1, true))
  res:send("hinted")
end)
app:get("/hijack", function(req, res) local _, err = fsd.try(res.hijack, res) res:json{ err.code, err.status } end)
app:get("/own", function(req, res)
  assert(res.req == req)
  res.status_code = 201
  local names = {}
  for _, name in ipairs{ "req", "headers_sent", "send" } do
    local ok, err = pcall(function() res[name] = 1 end)
    names[#names + 1] = not ok and err:match("cannot set res%.([%w_]+)")
  end
  local ok, err = pcall(function() res.status_code = 99 end)
  names[#names + 1] = err:match("status must be a whole number")
  res:send(names)
end)
return app
'''

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


@pytest.mark.parametrize("accept, type, body", [
    ("text/html", HTML, "<p>"),
    ("application/json", JSON, '{"form":"json"}'),
    ("text/plain", TEXT, "/format"),
    ("text/*", HTML, "<p>"),
    ("*/*", HTML, "<p>"),
    ("text/html;q=0.1, application/json;q=0.2", JSON, '{"form":"json"}'),
    ("text/html;q=0, */*", JSON, '{"form":"json"}'),
])
def test_format_takes_what_the_client_likes_best(app, accept, type, body):
    answer = app.get("/format", {"Accept": accept})
    assert (answer.status, answer.headers["content-type"], answer.text) == (200, type, body)
    assert answer.headers["vary"] == "Accept"


def test_format_without_accept_is_the_first_one(app):
    assert app.get("/format").text == "<p>"
    assert app.get("/ordered").text == "text"


def test_format_of_what_is_not_accepted_is_a_406(app):
    answer = app.get("/format", {"Accept": "image/png"})
    assert (answer.status, answer.headers["vary"]) == (406, "Accept")


@pytest.mark.parametrize("accept, type, body", [
    ("*/*", TEXT, "text"),
    ("application/vnd.x+json, text/html", "application/vnd.x+json", "{}"),
    ("text/html", HTML, "html"),
    ("image/png", HTML, "default"),
])
def test_format_has_an_order_where_it_is_given_one(app, accept, type, body):
    answer = app.get("/ordered", {"Accept": accept})
    assert (answer.headers["content-type"], answer.text, answer.headers["vary"]) == (type, body, "Origin, Accept")


def test_format_of_a_default_only(app):
    assert app.get("/none", {"Accept": "text/html"}).text == "only"


def test_format_of_an_unknown_name_is_a_mistake(app):
    assert app.get("/unknown").status == 500
    assert 'res:format: "jsn" is neither a content type' in app.wait_record(path="/unknown", level="error")["msg"]


def test_jsonp_without_a_callback_is_json(app):
    answer = app.get("/jsonp")
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == (JSON, "nosniff")
    assert answer.text == '{"a":"<\u2028>"}'
    assert app.get("/jsonp?callback=").headers["content-type"] == JSON
    assert app.get("/jsonp?callback=()%3B").headers["content-type"] == JSON


@pytest.mark.parametrize("query, name", [
    ("cb", "cb"), ("a.b[0].$c_1", "a.b[0].$c_1"), ("alert(1)%3B%2F%2F", "alert1"), ("one&callback=two", "one"), ("x%3C%2Fscript%3E", "xscript"),
])
def test_jsonp_calls_the_function_of_the_query(app, query, name):
    answer = app.get("/jsonp?callback=" + query)
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("text/javascript; charset=utf-8", "nosniff")
    assert answer.text == f"/**/ typeof {name} === 'function' && {name}({{\"a\":\"<\\u2028>\"}});"


def test_jsonp_keeps_a_type_without_a_callback(app):
    answer = app.get("/jsonp_type")
    assert (answer.headers["content-type"], answer.headers.get("x-content-type-options")) == ("application/x", None)
    assert app.get("/jsonp_type?callback=f").headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("accept, type, body", [
    ("text/html", HTML, "<!DOCTYPE html><head><title>Found</title></head><body><p>Found. Redirecting to /new%3C%3E</p></body>"),
    ("text/plain", TEXT, "Found. Redirecting to /new%3C%3E"),
    ("*/*", TEXT, "Found. Redirecting to /new%3C%3E"),
    ("image/png", None, ""),
])
def test_redirect_says_where_to(app, accept, type, body):
    answer = app.get("/old", {"Accept": accept})
    assert (answer.status, answer.headers["location"], answer.headers["vary"]) == (302, "/new%3C%3E", "Accept")
    assert (answer.headers.get("content-type"), answer.text) == (type, body)


def test_redirect_escapes_html(app):
    answer = app.get("/old?to=/%26amp%3B%27", {"Accept": "text/html"})
    assert "/&amp;amp;&#39;</p>" in answer.text


@pytest.mark.parametrize("name", ["Referer", "Referrer"])
def test_redirect_back_goes_to_a_page_of_the_same_host(app, name):
    page = f"http://{app.address()}/page?a=b"
    answer = app.get("/back", {name: page})
    assert (answer.status, answer.headers["location"]) == (302, page)
    assert app.get("/back303", {name: page}).status == 303


@pytest.mark.parametrize("referrer", [
    None, "", "/page", "//evil.example/", "https://evil.example/", "http://{host}@evil.example/", "http://evil.example\\@{host}/",
    "http://{host}.evil.example/", "javascript:alert(1)", "http://", "ftp://{host}/", " http://{host}/",
])
def test_redirect_back_goes_nowhere_else(app, referrer):
    headers = {} if referrer is None else {"Referer": "x" + referrer if referrer[:1] == " " else referrer.format(host=app.address())}
    assert app.get("/back", headers).headers["location"] == "/home"


def test_stream_ends_with_its_function(app):
    answer = app.get("/stream")
    assert (answer.headers["content-type"], answer.headers["transfer-encoding"], answer.text) == (TEXT, "chunked", "ab")
    assert app.get("/finished").text == "early"
    assert app.get("/nothing").text == ""
    assert app.request("HEAD", "/stream").body == b""


def test_stream_that_fails_is_cut(app):
    import http.client
    with pytest.raises(http.client.IncompleteRead):
        app.get("/torn")


def test_early_hints_are_dropped(app):
    assert app.get("/hints").text == "hinted"


def test_hijack_says_when_it_comes(app):
    assert app.get("/hijack").json() == ["not_supported", 501]


def test_names_of_fsd_cannot_be_set_but_for_the_status(app):
    answer = app.get("/own")
    assert (answer.status, answer.json()) == (201, ["req", "headers_sent", "send", "status must be a whole number"])


SETTINGS = '''
local fsd = require "fsd"
local app = fsd.app()
app:set("json_spaces", 2):set("json_escape", true):set("jsonp_callback_name", "call")
app:get("/", function(req, res) res:json{ a = { "<&>", {} } } end)
app:get("/returned", function() return { { 1, true } } end)
app:get("/jsonp", function(req, res) res:jsonp{ 1 } end)
return app
'''


def test_settings_say_how_json_looks(serve):
    app = serve(SETTINGS)
    assert app.get("/").text == '{\n  "a": [\n    "\\u003c\\u0026\\u003e",\n    {}\n  ]\n}'
    assert app.get("/returned").text == '[\n  [\n    1,\n    true\n  ]\n]'
    assert app.get("/jsonp?call=f").text == "/**/ typeof f === 'function' && f([\n  1\n]);"
    assert app.get("/jsonp?callback=f").headers["content-type"] == JSON
