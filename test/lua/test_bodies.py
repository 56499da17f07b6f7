"""Bodies: the methods of req that read them, and fsd.body as middleware."""
import gzip
import json
import zlib

import pytest

from fsd_process import wait_for
from handler_rows import app_of, names

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
TEXT = {"content-type": "text/plain"}


def post(body=b"", headers=(), **more):
    """What a row adds to its request; a number of headers may be given by keyword: content_encoding="gzip"."""
    return {"body": body, "headers": {**dict(headers), **{name.replace("_", "-"): value for name, value in more.items()}}}


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


BIG = json.dumps({"list": list(range(40000))})  # above 100 kB

# name, handler, request, the JSON answer
GIVEN = [
    ("json_takes_a_limit_above_the_default", 'return { #req:json{ limit = "1mb" }.list }', post(BIG, JSON), [40000]),
    ("json_takes_a_limit_in_bytes", "return req:json{ limit = 3 }", post("[1]"), [1]),
    ("json_is_req_body", "local v = req:json(); return { req.body == v, v.a }", post('{"a":1}', JSON), [True, 1]),
    ("json_with_options_is_req_body", "local v = req:json{ strict = true }; return { req.body == v }", post("{}", JSON), [True]),
    ("body_is_nil_before_a_parser", "return { req.body == nil }", post("{}", JSON), [True]),
    ("json_in_gzip", "return req:json()", post(gzip.compress(b"[1,2]"), JSON, content_encoding="gzip"), [1, 2]),
    ("json_in_x_gzip", "return req:json()", post(gzip.compress(b"[1,2]"), content_encoding="X-Gzip"), [1, 2]),
    ("json_in_two_gzip_members", "return req:json()", post(gzip.compress(b"[1,") + gzip.compress(b"2]"), content_encoding="gzip"), [1, 2]),
    ("json_in_deflate", "return req:json()", post(zlib.compress(b"[1,2]"), content_encoding="deflate"), [1, 2]),
    ("json_in_raw_deflate", "return req:json()", post(raw_deflate(b"[1,2]"), content_encoding="deflate"), [1, 2]),
    ("json_in_identity", "return req:json()", post("[1,2]", content_encoding="identity"), [1, 2]),
    ("json_inflated_twice", "req:json(); return { req:json()[2], req:text(), #req:raw() }",
     post(gzip.compress(b"[1,2]"), content_encoding="gzip"), [2, "[1,2]", 5]),
    ("json_in_utf8_by_name", "return req:json()", post("[1]", content_type='application/json; charset="UTF-8"'), [1]),
    ("json_in_ascii_by_name", "return req:json()", post("[1]", content_type="application/json;charset=us-ascii"), [1]),
    ("json_reviver_sees_all_from_inside", '''
       local seen = json.array{}
       local v = req:json{ reviver = function(k, v) if type(v) == "number" then seen[#seen + 1] = v; return v * 2 end return v end }
       table.sort(seen); return { v.a, v.b[1], v.b[2].c, seen }''', post('{"a":1,"b":[2,{"c":3}]}'), [2, 4, 6, [1, 2, 3]]),
    ("json_reviver_removes", 'local v = req:json{ reviver = function(k, v) if k ~= "a" then return v end end }; return { v.a == nil, v.b }',
     post('{"a":1,"b":2}'), [True, 2]),
    ("json_verify_sees_the_bytes", '''
       local got; req:json{ verify = function(r, body, charset) got = { body, charset, r == req } end }; return got''',
     post("[1]"), ["[1]", "utf-8", True]),
    ("json_type_that_fits", 'return req:json{ type = { "text/*", "+json" } }', post("[1]", content_type="application/x+json"), [1]),
    ("json_type_as_a_function", 'return req:json{ type = function(r) return r.method == "POST" end }', post("[1]"), [1]),
    ("form_is_decoded", "return req:form()", post("a=1&b=x+y%26&c=%C3%A4&d&=e"), {"a": "1", "b": "x y&", "c": "ä", "d": "", "": "e"}),
    ("form_lists_repeated_names", "return req:form()", post("a=1&a=2&a=3", FORM), {"a": ["1", "2", "3"]}),
    ("form_brackets_mean_nothing", "return req:form()", post("a[b]=1"), {"a[b]": "1"}),
    ("form_without_a_body_is_empty", "return { next(req:form()) == nil }", post(), [True]),
    ("json_64_levels_deep", "return { type(req:json()) }", post("[" * 64 + "]" * 64), ["table"]),
    ("json_deeper_on_demand", "return { type(req:json{ depth = 1000 }) }", post("[" * 1000 + "]" * 1000), ["table"]),
    ("form_is_req_body", "return { req:form() == req.body }", post("a=1"), [True]),
    ("form_takes_more_parameters", "return { #req:form{ parameter_limit = 2000 }.a }", post("&".join(["a=1"] * 2000)), [2000]),
    ("form_in_latin1", "return req:form()", post("a=%E4", content_type="application/x-www-form-urlencoded; charset=iso-8859-1"), {"a": "ä"}),
    ("form_in_the_charset_of_its_sentinel", 'local f = req:form{ charset_sentinel = true }; return { f.a }',
     post("utf8=%26%2310003%3B&a=%E4"), ["ä"]),
    ("form_extended", "return req:form{ extended = true }", post("a[b][c]=1&a[b][d]=2&l[]=3&l[]=4&x=5"),
     {"a": {"b": {"c": "1", "d": "2"}}, "l": ["3", "4"], "x": "5"}),
    ("form_extended_to_its_depth", "return req:form{ extended = true, depth = 1 }", post("a[b][c]=1"), {"a": {"b": {"[c]": "1"}}}),
    ("form_extended_in_latin1", "return req:form{ extended = true }",
     post("a[%E4]=%F6", content_type="application/x-www-form-urlencoded; charset=iso-8859-1"), {"a": {"ä": "ö"}}),
    ("form_in_gzip", "return req:form()", post(gzip.compress(b"a=1"), content_encoding="gzip"), {"a": "1"}),
    ("text_in_utf8", "return { req:text(), req.body }", post("äöü".encode(), content_type="text/plain; charset=utf-8"), ["äöü", "äöü"]),
    ("text_in_latin1", "return { req:text() }", post("äöü".encode("latin1"), content_type="text/plain; charset=iso-8859-1"), ["äöü"]),
    ("text_in_the_default_charset", 'return { req:text{ default_charset = "latin1" } }', post("ä".encode("latin1"), TEXT), ["ä"]),
    ("text_above_100_kb", "return { #req:text() }", post("x" * 200_000, TEXT), [200_000]),
    ("text_with_a_limit", "return { #req:text{ limit = 10 } }", post("x" * 10, TEXT), [10]),
    ("raw_is_bytes", "return { req:raw() == '\\0\\255' }", post(b"\0\xff", content_type="text/plain; charset=koi8-r"), [True]),
    ("read_in_pieces", "return { req:read(2), req:read(2), req:read(2), req:read(2) == nil }", post("abcde"), ["ab", "cd", "e", True]),
    ("read_without_a_number_is_the_rest", "return { req:read(2), req:read(), req:read() == nil }", post("abcde"), ["ab", "cde", True]),
    ("read_without_a_body", "return { req:read() == nil }", post(), [True]),
    ("read_inflates", "return { req:read(2), req:read() }", post(gzip.compress(b"abcde"), content_encoding="gzip"), ["ab", "cde"]),
    ("chunks_are_an_iterator", "local t = json.array{}; for c in req:chunks(2) do t[#t + 1] = c end; return t", post("abcde"), ["ab", "cd", "e"]),
    ("chunks_of_64_kb", "local t = json.array{}; for c in req:chunks() do t[#t + 1] = #c end; return t", post("x" * 150_000),
     [65536, 65536, 18928]),
]

# name, handler, request, status, code, a part of the message
REFUSED = [
    ("json_above_100_kb", "req:json()", post(BIG, JSON), 413, "entity.too.large", 'req:json { limit = "1mb" } takes more'),
    ("json_one_above_its_limit", "req:json{ limit = 2 }", post("[1]"), 413, "entity.too.large", "3 bytes, more than the limit of 2"),
    ("json_of_nothing", "req:json{ strict = true }", post(), 400, "entity.parse.failed", "the body is empty"),
    ("json_scalar_in_strict", "req:json{ strict = true }", post(" 7"), 400, "entity.parse.failed", "neither a JSON object nor a list"),
    ("json_nested_too_deep", "req:json()", post("[" * 65 + "]" * 65), 400, "entity.parse.failed", "more than 64 levels of nesting"),
    ("json_nested_too_deep_for_its_option", "req:json{ depth = 2 }", post('{"a":[{}]}'), 400, "entity.parse.failed", "line 1 column 7: more than 2 levels of nesting"),
    ("json_bomb_of_brackets", 'req:json{ limit = "1mb" }', post("[" * 1_000_000), 400, "entity.parse.failed", "more than 64 levels"),
    ("json_in_brotli", "req:json()", post("x", content_encoding="br"), 415, "encoding.unsupported", 'encoding "br"'),
    ("json_in_two_codings", "req:json()", post("x", content_encoding="gzip, gzip"), 415, "encoding.unsupported", "gzip, gzip"),
    ("json_compressed_without_inflate", "req:json{ inflate = false }", post(gzip.compress(b"[1]"), content_encoding="gzip"), 415,
     "encoding.unsupported", "compressed"),
    ("json_in_no_gzip", "req:json()", post("[1]", content_encoding="gzip"), 400, "entity.parse.failed", "not valid gzip"),
    ("json_in_cut_gzip", "req:json()", post(gzip.compress(b"[1]")[:-3], content_encoding="gzip"), 400, "entity.parse.failed", "not valid gzip"),
    ("json_in_gzip_and_rubbish", "req:json()", post(gzip.compress(b"[1]") + b"x", content_encoding="gzip"), 400, "entity.parse.failed",
     "not valid gzip"),
    ("json_in_deflate_and_rubbish", "req:json()", post(zlib.compress(b"[1]") + b"x", content_encoding="deflate"), 400,
     "entity.parse.failed", "not valid deflate"),
    ("json_that_inflates_too_far", "req:json()", post(gzip.compress(b" " * 102401), content_encoding="gzip"), 413, "entity.too.large",
     "inflates to more than the limit of 102400"),
    ("json_in_koi8", "req:json()", post("[1]", content_type="application/json; charset=koi8-r"), 415, "charset.unsupported", "KOI8-R"),
    ("json_in_latin1", "req:json()", post("[1]", content_type="application/json; charset=iso-8859-1"), 415, "charset.unsupported", "ISO"),
    ("json_of_another_type", 'req:json{ type = "json" }', post("[1]", TEXT), 415, "content_type.unsupported", "content type"),
    ("json_of_no_type", 'req:json{ type = "*/*" }', post("[1]"), 415, "content_type.unsupported", "content type"),
    ("json_verify_that_returns_false", "req:json{ verify = function() return false end }", post("[1]"), 403, "entity.verify.failed",
     "not verified"),
    ("json_verify_that_raises", 'req:json{ verify = function() error(fsd.error{ message = "bad signature", status = 400 }) end }', post("[1]"),
     403, "entity.verify.failed", "bad signature"),
    ("form_of_1001_parameters", "req:form()", post("&".join(["a=1"] * 1001)), 413, "parameters.too.many", "more than 1000"),
    ("form_extended_of_too_many", "req:form{ extended = true, parameter_limit = 2 }", post("a=1&b=2&c=3"), 413, "parameters.too.many",
     "more than 2"),
    ("form_above_100_kb", "req:form()", post("a=" + "x" * 102400), 413, "entity.too.large", "more than the limit of 102400"),
    ("form_of_a_million_parameters", 'req:form{ limit = "4mb" }', post("a&" * 500_000), 413, "parameters.too.many", "more than 1000"),
    ("form_in_koi8", "req:form()", post("a=1", content_type="a/b; charset=koi8-r"), 415, "charset.unsupported", "KOI8-R"),
    ("text_in_koi8", "req:text()", post("a", content_type="text/plain; charset=koi8-r"), 415, "charset.unsupported", "KOI8-R"),
    ("text_above_its_limit", "req:text{ limit = 9 }", post("x" * 10), 413, "entity.too.large", "limit of 9"),
    ("multipart_of_another_type", "req:multipart()", post("a=1", FORM), 415, "content_type.unsupported", "not multipart"),
]

# name, handler, a part of the message
MISTAKES = [
    ("a_depth_of_json_that_is_none", "req:json{ depth = 0 }", 'req:json: option "depth" must be an integer from 1 to 1000, not 0'),
    ("a_depth_of_forms_that_is_too_large", "req:form{ depth = 33 }", 'req:form: option "depth" must be an integer from 1 to 32, not 33'),
    ("an_unknown_option", "req:json{ limits = 1 }", 'req:json: unknown option "limits"; did you mean "limit"?'),
    ("an_option_of_another_parser", "req:text{ strict = true }", 'req:text: unknown option "strict"'),
    ("a_limit_that_is_none", 'req:json{ limit = "much" }', 'option "limit" must be a number of bytes or a text like "100kb", not much'),
    ("a_negative_limit", "req:json{ limit = -1 }", 'option "limit" must be'),
    ("a_flag_that_is_none", "req:json{ strict = 1 }", 'option "strict" must be a boolean, not 1'),
    ("a_word_that_is_none", 'req:json{ null = "drop" }', 'option "null" must be one of "absent keep"'),
    ("options_that_are_none", "req:form(7)", "req:form: a table of options is expected, not a number"),
    ("an_unknown_limit", "req:parts{ limits = { part = 1 } }", 'req:parts limits: unknown option "part"; did you mean "parts"?'),
    ("reading_nothing", "req:read(0)", "req:read expects a number of bytes above 0"),
    ("chunks_of_nothing", "req:chunks(0)", "req:chunks expects a number of bytes above 0"),
    ("saving_nowhere", "req:save()", "a path is expected, not a nil"),
    ("a_storage_that_is_none", 'req:multipart{ storage = "tape" }', 'option "storage" must be "memory", "disk" or a function'),
    ("a_dir_in_memory", 'req:multipart{ dir = "/tmp" }', 'need storage = "disk"'),
]

CODES = 'app:on_error(function(err, req, res) res:status(err.status):json{ code = err.code, message = err.message, field = err.field } end)\n'


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(GIVEN), limits={"body": "10MiB"})


@pytest.fixture(scope="module")
def refusing(serve):
    return serve(app_of(REFUSED, CODES), limits={"body": "10MiB"})


@pytest.fixture(scope="module")
def mistaken(serve):
    return serve(app_of(MISTAKES))


@pytest.mark.parametrize("name, code, how, expected", GIVEN, ids=names(GIVEN))
def test_body(app, name, code, how, expected):
    answer = app.request("POST", "/" + name, **how)
    assert (answer.status, answer.json()) == (200, expected)


@pytest.mark.parametrize("name, code, how, status, error, message", REFUSED, ids=names(REFUSED))
def test_body_is_refused(refusing, name, code, how, status, error, message):
    answer = refusing.request("POST", "/" + name, **how)
    assert (answer.status, answer.json()["code"]) == (status, error)
    assert message in answer.json()["message"]


@pytest.mark.parametrize("name, code, message", MISTAKES, ids=names(MISTAKES))
def test_mistake_is_logged(mistaken, name, code, message):
    assert mistaken.request("POST", "/" + name, "{}").status == 500
    assert message in mistaken.wait_record(path="/" + name, level="error")["msg"]


PARSERS = CODES + '''
app:use("/json", fsd.body.json{ limit = "1kb" })
app:use("/form", fsd.body.form{ limit = "1kb", parameter_limit = 2 })
app:use("/text", fsd.body.text())
app:use("/raw", fsd.body.raw{ type = function(req) return req.headers["x-raw"] ~= nil end })
app:use("/all", fsd.body.json(), fsd.body.form(), fsd.body.text(), fsd.body.raw())
app:use("/verify", fsd.body.json{ verify = function(req, body) if body ~= "[1]" then error("not one") end end })
app:all("/*rest", function(req, res)
  local kind = json.is_array(req.body) and "list" or type(req.body)
  res:json{ kind = kind, body = req.body }
end)
'''

# path, request, kind, value
PARSED = [
    ("/json", post('{"a":1}', JSON), "table", {"a": 1}),
    ("/json", post('{"a":1}', content_type="Application/JSON; charset=utf-8"), "table", {"a": 1}),
    ("/json", post('{"a":1}', TEXT), "nil", None),
    ("/json", post('{"a":1}'), "nil", None),
    ("/json", post('{"a":1}', content_type="application/vnd.api+json"), "nil", None),
    ("/json", post("", JSON), "table", {}),
    ("/form", post("a=1&b=2", FORM), "table", {"a": "1", "b": "2"}),
    ("/form", post("a=1&b=2", JSON), "nil", None),
    ("/form", post("", FORM), "table", {}),
    ("/text", post("x", TEXT), "string", "x"),
    ("/text", post("x", content_type="text/html"), "nil", None),
    ("/raw", post("x", x_raw="1"), "string", "x"),
    ("/raw", post("x"), "nil", None),
    ("/all", post("[1]", JSON), "list", [1]),
    ("/all", post("a=1", FORM), "table", {"a": "1"}),
    ("/all", post("x", content_type="application/octet-stream"), "string", "x"),
    ("/verify", post("[1]", JSON), "list", [1]),
]

# path, request, status, code
NOT_PARSED = [
    ("/json", post("7", JSON), 400, "entity.parse.failed"),
    ("/json", post("{", JSON), 400, "entity.parse.failed"),
    ("/json", post("[" + "1," * 600 + "1]", JSON), 413, "entity.too.large"),
    ("/json", post("{}", content_type="application/json; charset=utf-7"), 415, "charset.unsupported"),
    ("/json", post("{}", JSON, content_encoding="br"), 415, "encoding.unsupported"),
    ("/form", post("a=1&b=2&c=3", FORM), 413, "parameters.too.many"),
    ("/verify", post("[2]", JSON), 403, "entity.verify.failed"),
]


@pytest.fixture(scope="module")
def parsing(serve):
    return serve(app_of([], PARSERS))


@pytest.mark.parametrize("path, how, kind, value", PARSED)
def test_middleware_parses_what_is_its_own(parsing, path, how, kind, value):
    answer = parsing.request("POST", path + "/x", **how).json()
    assert (answer["kind"], answer.get("body")) == (kind, value)


@pytest.mark.parametrize("path, how, status, code", NOT_PARSED)
def test_middleware_refuses(parsing, path, how, status, code):
    answer = parsing.request("POST", path + "/x", **how)
    assert (answer.status, answer.json()["code"]) == (status, code)


def test_middleware_leaves_a_request_without_a_body_alone(parsing):
    assert parsing.request("GET", "/all/x", headers=JSON).json() == {"kind": "nil"}


def test_a_body_is_read_in_chunks_of_http_too(parsing):
    with parsing.connection() as connection:
        connection.request("POST", "/json/x", iter([b'{"a"', b':1}']), JSON, encode_chunked=True)
        answer = connection.getresponse()
        assert json.loads(answer.read()) == {"kind": "table", "body": {"a": 1}}


SAVING = '''
app:post("/save", function(req, res)
  local path = req.headers["x-path"]
  local written = req:save(path)
  return { written }
end)
app:post("/twice", function(req, res)
  local path = req.headers["x-path"]
  req:save(path)
  local _, err = fsd.try(req.save, req, path)
  return { err.name, err.code, err.status }
end)
'''


def test_a_body_is_saved_for_its_owner_only(serve, tmp_path):
    app = serve(app_of([], SAVING), limits={"body": "10MiB"})
    body = bytes(range(256)) * 8000  # several pieces
    path = tmp_path / "saved"
    assert app.request("POST", "/save", body, {"x-path": str(path)}).json() == [len(body)]
    assert path.read_bytes() == body
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_body_is_saved_inflated(serve, tmp_path):
    app = serve(app_of([], SAVING))
    path = tmp_path / "saved"
    headers = {"x-path": str(path), "content-encoding": "gzip"}
    assert app.request("POST", "/save", gzip.compress(b"hello"), headers).json() == [5]
    assert path.read_bytes() == b"hello"


def test_saving_overwrites_nothing_and_follows_no_link(serve, tmp_path):
    app = serve(app_of([], SAVING))
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    assert app.request("POST", "/twice", "new", {"x-path": str(tmp_path / "a")}).json() == ["FileError", "EEXIST", 500]
    assert app.request("POST", "/save", "new", {"x-path": str(link)}).status == 500
    assert not target.exists()
    assert app.request("POST", "/save", "new", {"x-path": str(tmp_path / "none" / "a")}).status == 500


def test_a_zip_bomb_is_refused_before_it_has_grown(serve):
    app = serve(app_of([("bomb", 'req:json{ limit = "64mb" }')], CODES), limits={"body": "10MiB"})
    bomb = gzip.compress(b" " * (64 * 1024 * 1024), 9)
    answer = app.request("POST", "/bomb", bomb, {"content-encoding": "gzip"})
    assert (answer.status, answer.json()["code"]) == (413, "entity.too.large")
    assert "more than 100 times its size" in answer.json()["message"]


LIMITED = CODES + '''
app:set("body_limit", 1000)
local inner = fsd.app()
inner:set("body_limit", 100)
inner:post("/size", function(req) return { #req:text() } end)
inner:post("/json", fsd.body.json(), function(req) return "parsed" end)
app:use("/inner", inner)
app:post("/size", function(req) return { #req:text() } end)
app:post("/parts", function(req) for part in req:parts() do end end)
app:post("/none", function(req) return "not read" end)
'''


@pytest.mark.parametrize("path, size, status", [("/size", 1000, 200), ("/size", 1001, 413), ("/parts", 1001, 413), ("/none", 1001, 200),
                                                ("/inner/size", 100, 200), ("/inner/size", 101, 413)])
def test_an_application_may_lower_the_limit(serve, path, size, status):
    app = serve(app_of([], LIMITED))
    answer = app.request("POST", path, "x" * size)
    assert answer.status == status
    if status == 413:
        assert answer.json()["code"] == "entity.too.large"


def test_what_a_body_inflates_to_is_limited_by_the_application_too(serve):
    app = serve(app_of([], LIMITED))
    answer = app.request("POST", "/size", gzip.compress(b"x" * 1001), {"content-encoding": "gzip"})
    assert (answer.status, answer.json()["code"]) == (413, "entity.too.large")


GONE = CODES + '''
local told
app:post("/late", function(req, res)
  res:send("answered")
  fsd.task.sleep(0.01)
  local codes = {} -- seen by others only when it is complete
  for _, name in ipairs{ "text", "raw", "json", "form", "multipart", "parts", "read" } do
    local _, err = fsd.try(req[name], req)
    codes[#codes + 1] = err and err.code or "none"
  end
  local _, err = fsd.try(req.save, req, "/nonexistent/file")
  codes[#codes + 1] = err.code
  told = codes
end)
app:get("/told", function(req, res) res:json(told or json.array{}) end)
'''


def test_a_body_that_has_gone_is_told_of_by_every_method(serve):
    app = serve(app_of([], GONE))
    app.request("POST", "/late", "x", {"content-type": "multipart/form-data; boundary=x"})
    assert wait_for(lambda: app.get("/told").json(), "the handler to go on") == ["body.gone"] * 8
