"""fsd.schema: what a schema takes, what it refuses with which words, and what it becomes."""
import json

import pytest

from handler_rows import app_of, names

HEAD = "local S = require 'fsd.schema'"

# (name, schema, value as JSON, what comes out)
TAKEN = [
    ("a_string", '"string"', '"x"', "x"),
    ("an_empty_string", '"string"', '""', ""),
    ("an_integer", '"integer"', "7", 7),
    ("a_float_without_a_fraction_is_an_integer", '"integer"', "7.0", 7),
    ("a_number", '"number"', "1.5", 1.5),
    ("a_boolean", '"boolean"', "false", False),
    ("anything", '"any"', '{"a":[1]}', {"a": [1]}),
    ("characters_are_counted_not_bytes", '{ "string", max = 2 }', '"\\u00e4\\u00f6"', "äö"),
    ("a_string_is_trimmed", '{ "string", trim = true, min = 1 }', '"  x "', "x"),
    ("blanks_only_are_trimmed_away", '{ "string", trim = true }', '"   "', ""),
    ("many_blanks_within_stay", '{ "string", trim = true }', json.dumps(" a" + " " * 50000 + "b "), "a" + " " * 50000 + "b"),
    ("a_pattern_that_fits", '{ "string", pattern = "^%d+$" }', '"12"', "12"),
    ("one_of_some", '{ "string", one_of = { "a", "b" } }', '"b"', "b"),
    ("bounds_are_within", '{ "integer", min = 1, max = 3 }', "3", 3),
    ("fields", "{ a = 'string', b = { 'integer', optional = true } }", '{"a":"x"}', {"a": "x"}),
    ("what_is_not_known_is_dropped", "{ a = 'string' }", '{"a":"x","admin":true}', {"a": "x"}),
    ("a_default_fills_in", "{ a = { 'integer', default = 5 }, t = { 'list', default = {} } }", "{}", {"a": 5, "t": {}}),
    ("null_is_as_if_not_there", "{ a = { 'integer', optional = true } }", '{"a":null}', {}),
    ("tables_in_tables", "{ a = { b = { c = 'integer' } } }", '{"a":{"b":{"c":1,"d":2}}}', {"a": {"b": {"c": 1}}}),
    ("a_schema_in_a_schema", "{ a = S{ b = 'integer' }, l = { 'list', of = S{ b = 'integer' } } }", '{"a":{"b":1},"l":[{"b":2,"x":1}]}',
     {"a": {"b": 1}, "l": [{"b": 2}]}),
    ("a_list", '{ "list", of = "integer", min = 1, max = 2 }', "[1,2]", [1, 2]),
    ("an_empty_list_stays_one", '{ "list", of = "integer" }', "[]", []),
    ("a_map", '{ "map", of = "integer", keys = "^%a+$" }', '{"x":1,"y":2}', {"x": 1, "y": 2}),
    ("a_check_may_convert", '{ "string", check = function(v) return #v end }', '"abc"', 3),
    ("a_check_may_agree", '{ "string", check = function(v) return v ~= "no" end }', '"abc"', "abc"),
    ("an_address", '{ "string", format = "email" }', '"a.b+c@example.org"', "a.b+c@example.org"),
    ("a_leap_day", '{ "string", format = "date" }', '"2024-02-29"', "2024-02-29"),
    ("a_time", '{ "string", format = "date-time" }', '"2024-02-29T23:59:60.5+02:00"', "2024-02-29T23:59:60.5+02:00"),
    ("a_url", '{ "string", format = "uri" }', '"https://example.org/a?b"', "https://example.org/a?b"),
    ("a_uuid", '{ "string", format = "uuid" }', '"01234567-89ab-cdef-0123-456789ABCDEF"', "01234567-89ab-cdef-0123-456789ABCDEF"),
]

# (name, schema, value as JSON, problems by path)
REFUSED = [
    ("a_number_is_no_string", '"string"', "1", {"": "must be a string"}),
    ("a_string_is_no_integer", '"integer"', '"1"', {"": "must be a whole number"}),
    ("a_fraction_is_no_integer", '"integer"', "1.5", {"": "must be a whole number"}),
    ("a_string_is_no_number", '"number"', '"1"', {"": "must be a number"}),
    ("a_number_is_no_boolean", '"boolean"', "1", {"": "must be true or false"}),
    ("an_object_is_no_list", '{ "list" }', "{}", {"": "must be a list"}),
    ("a_list_is_no_object", "{ a = 'any' }", "[]", {"": "must be an object"}),
    ("a_list_is_no_map", '{ "map" }', "[1]", {"": "must be an object"}),
    ("nothing_at_all", "{ a = 'any' }", "null", {"": "is missing"}),
    ("too_short", '{ "string", min = 2 }', '"x"', {"": "must have at least 2 characters, has 1"}),
    ("too_long", '{ "string", min = 1, max = 2 }', '"xyz"', {"": "must have 1 to 2 characters, has 3"}),
    ("not_of_the_form", '{ "string", pattern = "^%d+$" }', '"x"', {"": "has not the right form"}),
    ("none_of_these", '{ "string", one_of = { "a", "b" } }', '"c"', {"": 'must be one of "a", "b"'}),
    ("too_small", '{ "integer", min = 1 }', "0", {"": "must be at least 1, is 0"}),
    ("too_large", '{ "number", max = 1 }', "1.5", {"": "must be at most 1, is 1.5"}),
    ("every_problem_is_told", "{ a = 'string', b = { c = 'integer' }, d = 'any' }", '{"a":1,"b":{"c":"x"}}',
     {"a": "must be a string", "b.c": "must be a whole number", "d": "is missing"}),
    ("items_have_their_place", '{ "list", of = { "string", max = 1 } }', '["a","bc",3]',
     {"[2]": "must have at most 1 character, has 2", "[3]": "must be a string"}),
    ("items_of_fields_too", "{ l = { 'list', of = { a = 'string' } } }", '{"l":[{"a":1}]}', {"l[1].a": "must be a string"}),
    ("too_many_items", '{ "list", max = 1 }', "[1,2]", {"": "must have at most 1 item, has 2"}),
    ("an_item_twice", '{ "list", unique = true }', '["a","a"]', {"[2]": "is there twice"}),
    ("a_key_that_is_not_allowed", '{ "map", keys = "^%a+$" }', '{"1":1}', {"1": "is not a name that is allowed here"}),
    ("a_check_that_refuses", '{ "string", check = function(v) return nil, "must be nicer" end }', '"x"', {"": "must be nicer"}),
    ("a_check_without_words", '{ "string", check = function(v) return false end }', '"x"', {"": "is not right"}),
    ("unknown_fields_when_told_so", '{ "object", fields = { a = "any" }, unknown = "refuse" }', '{"a":1,"b":2}', {"b": "is not known here"}),
    ("bytes_that_are_no_text", '{ "string", max = 9 }', None, {"": "must be UTF-8"}),
] + [
    (f"not_{format.replace('-', '_')}_{i}", f'{{ "string", format = "{format}" }}', json.dumps(text), {"": message})
    for format, message, texts in [
        ("email", "must be an e-mail address", ["a", "a@b", "@b.c", "a b@c.de", "a@b..c", "a@b.c\n", "a@.c", "a@b.c>"]),
        ("date", "must be a date such as 2026-01-31", ["2025-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-1", "x", "2026-01-32"]),
        ("date-time", "must be a time such as 2026-01-31T12:00:00Z",
         ["2026-01-31", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "2026-01-31T12:00:00+25:00"]),
        ("uri", "must be an absolute URL", ["x", "/a", "http:", "http://a b", "java script:x"]),
        ("uuid", "must be a UUID", ["x", "01234567-89ab-cdef-0123-456789abcdeg", "0123456789abcdef0123456789abcdef"]),
    ] for i, text in enumerate(texts)
]

# (name, schema, what the error says)
MISTAKES = [
    ("a_type_that_is_none", "{ a = 'strnig' }", 'schema.a: unknown type "strnig"; did you mean "string"?'),
    ("an_option_that_is_none", "{ a = { 'integer', mim = 1 } }", 'schema.a: unknown option "mim" of a integer; did you mean "min"?'),
    ("an_option_of_another_type", "{ a = { 'boolean', min = 1 } }", 'schema.a: unknown option "min" of a boolean'),
    ("a_bound_that_is_none", "{ a = { b = { 'string', min = 'x' } } }", "schema.a.b: min must be a whole number, at least 0"),
    ("bounds_the_wrong_way_round", "{ a = { 'string', min = 2, max = 1 } }", "schema.a: min is more than max"),
    ("a_pattern_that_is_none", "{ a = { 'string', pattern = '[' } }", "schema.a: pattern: malformed pattern"),
    ("a_format_that_is_none", "{ a = { 'string', format = 'emial' } }", 'schema.a: unknown format "emial"; did you mean "email"?'),
    ("an_empty_choice", "{ a = { 'string', one_of = {} } }", "schema.a: one_of must be a list of values"),
    ("a_number_in_place_of_a_field", "{ a = 5 }", "schema.a: a type, a table or a schema expected, got number"),
    ("a_mistake_in_a_list", "{ a = { 'list', of = 'strin' } }", 'schema.a[]: unknown type "strin"; did you mean "string"?'),
    ("itself", "(function() local t = {} t.a = t return t end)()", "too deep: a schema can't be a part of itself"),
    ("itself_in_a_list", "(function() local t = { 'list' } t.of = t return t end)()", "too deep: a schema can't be a part of itself"),
    ("no_table_at_all", "5", "a table of fields expected, got number"),
]


def rows():
    for name, schema, _, _ in TAKEN + REFUSED:
        text = "'\\xff'" if name == "bytes_that_are_no_text" else "json.decode(req:text())"
        yield name, f"local v, problems = S.new({schema}):check({text}) return json.array {{ v == nil and json.null or v, problems }}"
    for name, schema, _ in MISTAKES:
        yield name, f"local _, err = fsd.try(function() local s = S({schema}) return s end) return {{ err.message }}"


@pytest.fixture(scope="module")
def server(serve):
    return serve(app_of(list(rows()), HEAD))


@pytest.mark.parametrize("name, schema, value, expected", TAKEN, ids=names(TAKEN))
def test_taken(server, name, schema, value, expected):
    assert server.request("POST", "/" + name, value).json() == [expected]


@pytest.mark.parametrize("name, schema, value, expected", REFUSED, ids=names(REFUSED))
def test_refused(server, name, schema, value, expected):
    result, problems = server.request("POST", "/" + name, value or "").json()
    assert result is None
    assert {problem["path"]: problem["message"] for problem in problems} == expected


@pytest.mark.parametrize("name, schema, message", MISTAKES, ids=names(MISTAKES))
def test_mistake_in_a_schema(server, name, schema, message):
    said = server.get("/" + name).json()[0]
    assert said.startswith("app.lua:") and message in said, said


APP = '''local fsd = require "fsd"
local S = fsd.schema
local app = fsd.app()
app:on_error(function(err, req, res) res:status(err.status):json { code = err.code, error = err.message, problems = err.problems } end)
local check = S.handler {
  params = { id = { "integer", min = 1 } },
  query = { page = { "integer", default = 1 }, tag = { "list", of = "string", optional = true }, all = { "boolean", default = false } },
  headers = { ["x-version"] = { "number", optional = true } },
  body = S({ name = { "string", min = 1 } }, { unknown = "refuse" }),
}
app:post("/users/:id", check, function(req) return req.valid end)
local upload = fsd.body.multipart()
app:post("/upload", upload:single "file", S.handler { body = S { number = "integer" } }, function(req) return { req.valid.body, #req.file.data } end)
app:post("/long", fsd.body.json { limit = "1mb" }, S.handler { body = { name = "string", number = "integer" } }, function(req) return { #req.valid.body.name } end)
app:get("/schema", function() return S { name = { "string", max = 5, description = "what" }, tags = { "list", of = "integer", optional = true } }
  :json_schema() end)
app:get("/assert", function() return { S "integer":assert "x" } end)
return app
'''


@pytest.fixture(scope="module")
def users(serve):
    return serve(APP)


def test_a_request_that_fits_is_converted(users):
    answer = users.request("POST", "/users/7?page=2&tag=a&all=yes", {"name": "Ann"}, {"x-version": "1.5"})
    assert (answer.status, answer.json()) == (200, {
        "params": {"id": 7}, "query": {"page": 2, "tag": ["a"], "all": True}, "headers": {"x-version": 1.5}, "body": {"name": "Ann"}})
    assert users.request("POST", "/users/7?tag=a&tag=b", {"name": "Ann"}).json()["query"] == {"page": 1, "tag": ["a", "b"], "all": False}


def test_a_request_that_does_not_is_refused_with_all_its_problems(users):
    answer = users.request("POST", "/users/x?page=1.5", {"nam": "Ann"}, {"x-version": "1e"})
    body = answer.json()
    assert (answer.status, body["code"]) == (400, "validation")
    assert {(p["source"], p["path"]): p["message"] for p in body["problems"]} == {
        ("params", "id"): "must be a whole number", ("query", "page"): "must be a whole number", ("headers", "x-version"): "must be a number",
        ("body", "name"): "is missing", ("body", "nam"): "is not known here"}
    assert body["error"] == ("params.id must be a whole number; query.page must be a whole number; "
                             "headers.x-version must be a number; and 2 more")


@pytest.mark.parametrize("text, number", [("15", 15), ("-1.5", -1.5), ("+.5e1", 5.0), ("1e+2", 100.0), (".", None), ("1e", None), ("0x10", None),
                                          ("nan", None), ("inf", None), ("1 2", None), ("1" * 5000, None), ("1" * 5000 + "x", None)])
def test_what_a_number_in_a_header_is(users, text, number):
    answer = users.request("POST", "/users/7", {"name": "Ann"}, {"x-version": text})
    if number is None:
        assert (answer.status, answer.json()["error"]) == (400, "headers.x-version must be a number")
    else:
        assert answer.json()["headers"]["x-version"] == number


def test_a_body_that_is_missing_or_of_another_type_is_refused(users):
    assert users.request("POST", "/users/7").json()["error"] == "body is missing"
    answer = users.request("POST", "/users/7", "name: Ann", {"content-type": "text/yaml"})
    assert (answer.status, answer.json()["code"]) == (415, "validation.type")
    answer = users.request("POST", "/users/7", "{", {"content-type": "application/json"})
    assert (answer.status, answer.json()["code"]) == (400, "entity.parse.failed")


def test_what_a_parser_in_front_has_made_is_checked(users):
    def upload(number):
        body = (f'--b\r\ncontent-disposition: form-data; name="number"\r\n\r\n{number}\r\n'
                '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nxyz\r\n--b--\r\n')
        return users.request("POST", "/upload", body, {"content-type": "multipart/form-data; boundary=b"})
    assert upload("7").json() == [{"number": 7}, 3]
    assert upload("x").json()["error"] == "body.number must be a whole number"
    assert users.request("POST", "/long", {"name": "x" * 200000, "number": 1}).json() == [200000]
    too_long = users.request("POST", "/users/7", {"name": "x" * 200000})
    assert too_long.status == 413 and 'fsd.body.json { limit = "1mb" } takes more' in too_long.json()["error"]
    assert users.request("POST", "/long", {"name": "x", "number": "1"}).json()["error"] == "body.number must be a whole number"


def test_problems_are_limited(users):
    body = {f"field{i}": 1 for i in range(1000)}
    assert len(users.request("POST", "/users/7", body).json()["problems"]) == 20


def test_a_value_may_be_asserted(users):
    assert users.get("/assert").json() == {"code": "validation", "error": "must be a whole number",
                                           "problems": [{"path": "", "message": "must be a whole number"}]}


def test_a_schema_is_json_schema(users):
    assert users.get("/schema").json() == {
        "type": "object", "required": ["name"],
        "properties": {"name": {"type": "string", "maxLength": 5, "description": "what"},
                       "tags": {"type": "array", "items": {"type": "integer"}}}}


ROUTES = '''local fsd = require "fsd"
local S = fsd.schema
local app = fsd.app()
local User = S { name = "string" }
app:post("/users/:id", { params = { id = "integer" }, body = User, query = { n = { "integer", optional = true } }, name = "user" },
  function(req) return req.valid end)
app:get("/own", { query = function(req, res, next) req.valid = { own = true } next() end }, function(req) return req.valid end)
return app
'''


@pytest.fixture(scope="module")
def routes(serve):
    return serve(ROUTES)


def test_a_route_has_its_schemas(routes):
    assert routes.request("POST", "/users/7?n=1", {"name": "Ann"}).json() == {"params": {"id": 7}, "body": {"name": "Ann"}, "query": {"n": 1}}
    assert routes.get("/own").json() == {"own": True}


def test_without_on_error_the_problems_are_told_to_programs(routes):
    answer = routes.request("POST", "/users/x", {"name": 1})
    assert (answer.status, answer.json()) == (400, {
        "error": "params.id must be a whole number; body.name must be a string", "code": "validation",
        "problems": [{"source": "params", "path": "id", "message": "must be a whole number"},
                     {"source": "body", "path": "name", "message": "must be a string"}]})


def test_and_to_people_as_a_sentence(routes):
    answer = routes.request("POST", "/users/x", {"name": "x"}, {"accept": "text/html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<p>params.id must be a whole number</p>" in answer.text


def test_a_mistake_in_the_schema_of_a_route_is_told_where_it_is(serve_refused):
    log = serve_refused('local fsd = require "fsd"\nlocal app = fsd.app()\napp:get("/", { query = { a = "strin" } }, print)\nreturn app')
    assert 'app.lua:3: fsd.schema: schema.a: unknown type "strin"; did you mean "string"?' in log
    log = serve_refused('local fsd = require "fsd"\nlocal app = fsd.app()\napp:get("/", { qery = {} }, print)\nreturn app')
    assert 'a route: unknown option "qery"; did you mean "query"?' in log
