"""app:set and what reads it: names, values, defaults."""
import pytest

from handler_rows import app_of

# name, value as Lua text
GOOD = [
    ("case_sensitive_routing", "true"), ("strict_routing", "false"), ("method_not_allowed", "false"), ("x_powered_by", "true"),
    ("etag", '"weak"'), ("etag", '"strong"'), ("etag", "false"), ("etag", "true"), ("json_escape", "true"), ("json_spaces", "0"),
    ("json_spaces", "10"), ("json_spaces", '"\\t"'), ("json_spaces", '""'), ("jsonp_callback_name", '"cb"'), ("query_parser", '"simple"'),
    ("query_parser", '"extended"'), ("query_parser", "false"), ("subdomain_offset", "0"), ("request_timeout", "0.5"),
    ("body_limit", "1"), ("body_limit", '"2MiB"'), ("env", '"test"'), ("trust_proxy", "true"), ("trust_proxy", "1"),
    ("trust_proxy", '"loopback"'), ("trust_proxy", '{ "10.0.0.0/8" }'), ("views", '"pages"'), ("views", '{ "a", "b" }'),
    ("view_engine", '"tpl"'), ("view_cache", "false"), ("secret", '"x"'), ("secret", '{ "new", "old" }'), ("title", '"my shop"'),
    ("anything at all", "{ 1, 2 }"),
]

# call, what is said
BAD = [
    ('app:set("case_sensitive_routing", "yes")', 'case_sensitive_routing must be true or false, got "yes"'),
    ('app:set("etag", "loose")', 'etag must be "weak", "strong", false or a function, got "loose"'),
    ('app:set("etag", 1)', 'etag must be "weak", "strong", false or a function, got 1'),
    ('app:set("json_spaces", 11)', "json_spaces must be 0 to 10"),
    ('app:set("json_spaces", -1)', "json_spaces must be 0 to 10"),
    ('app:set("json_spaces", "--")', "json_spaces must be 0 to 10, or up to 10 blanks and tabs"),
    ('app:set("json_spaces", ("x"):rep(11))', "json_spaces must be 0 to 10, or up to 10 blanks and tabs"),
    ('app:set("jsonp_callback_name", "")', "jsonp_callback_name must be the name of a query parameter"),
    ('app:set("jsonp_callback_name", ("x"):rep(65))', "jsonp_callback_name must be the name of a query parameter"),
    ('app:set("query_parser", "qs")', 'query_parser must be "simple", "extended", false or a function'),
    ('app:set("subdomain_offset", -1)', "subdomain_offset must be a whole number, 0 or more"),
    ('app:set("subdomain_offset", 1.5)', "subdomain_offset must be a whole number, 0 or more"),
    ('app:set("request_timeout", 0)', "request_timeout must be seconds, 0.001 to 86400"),
    ('app:set("request_timeout", 0/0)', "request_timeout must be seconds"),
    ('app:set("body_limit", "many")', 'body_limit must be bytes, or a text such as "2MiB", got "many"'),
    ('app:set("body_limit", -5)', "body_limit must be bytes"),
    ('app:set("trust_proxy", -1)', "trust_proxy must be true, false, a number of hops"),
    ('app:set("secret", {})', "secret must be a text or a list of texts"),
    ('app:set("secret", "")', "secret must be a text"),
    ('app:set("views", { "a", 1 })', "views must be a text or a list of texts"),
    ('app:set("view_cache", 1)', "view_cache must be true or false"),
    ('app:set("max_header_size", 8000)', "limits.header_bytes of the configuration"),
    ('app:set("trust proxy", true)', 'there is no setting "trust proxy"; write "trust_proxy"'),
    ('app:set("title")', "value expected"), ("app:set(nil, 1)", "string expected"), ("app.set('title', 1)", "call app:set(...) with a colon"),
    ("app:enable('etags', 1) app:enable('json_spaces')", "json_spaces must be 0 to 10"),
    ("app.enabled('x')", "call app:enabled(...) with a colon"), ("app:setting({})", "string expected"),
]


@pytest.fixture(scope="module")
def checks(serve):
    good = [f'app:set("{name}", {value}); told[#told + 1] = app:setting("{name}")' for name, value in GOOD]
    bad = [f"said[#said + 1] = select(2, fsd.try(function() {call} end)).message" for call, _ in BAD]
    restore = [f'app:set("{name}", nil)' for name, _ in GOOD]
    app = serve(app_of([], "\n".join([
        "local told, said = json.array{}, json.array{}", *good, *bad, *restore, 'app:get("/told", function() return told end)',
        'app:get("/said", function() return said end)'])))
    return app.get("/told").json(), app.get("/said").json()


@pytest.mark.parametrize("number", range(len(GOOD)), ids=[f"{name} {value}" for name, value in GOOD])
def test_setting_is_what_it_was_set_to(checks, number):
    name, value = GOOD[number]
    expected = {"true": True, "false": False, '{ "a", "b" }': ["a", "b"], '{ "new", "old" }': ["new", "old"], "{ 1, 2 }": [1, 2],
                '{ "10.0.0.0/8" }': ["10.0.0.0/8"], '"\\t"': "\t"}
    wanted = expected[value] if value in expected else value.strip('"') if value.startswith('"') else float(value)
    assert checks[0][number] == wanted


@pytest.mark.parametrize("number", range(len(BAD)), ids=[call for call, _ in BAD])
def test_wrong_setting_is_refused_where_it_is_set(checks, number):
    assert BAD[number][1] in checks[1][number]
    assert checks[1][number].startswith("app.lua:")


def test_settings_have_defaults(serve):
    app = serve(app_of([], '''
local names = { "case_sensitive_routing", "strict_routing", "method_not_allowed", "x_powered_by", "json_escape", "trust_proxy", "env",
                "etag", "query_parser", "jsonp_callback_name", "subdomain_offset", "views", "view_cache", "title" }
local told = {}
for _, name in ipairs(names) do told[name] = app:setting(name) end
app:get("/", function() return told end)
app:get("/words", function() return { app:enabled("etag"), app:disabled("etag"), app:enabled("strict_routing"), app:disabled("title") } end)
'''))
    assert app.get("/").json() == {
        "case_sensitive_routing": False, "strict_routing": False, "method_not_allowed": True, "x_powered_by": False,
        "json_escape": False, "trust_proxy": False, "env": "production", "etag": "weak", "query_parser": "simple",
        "jsonp_callback_name": "callback", "subdomain_offset": 2, "views": "views", "view_cache": True}
    assert app.get("/words").json() == [True, False, False, True]


def test_enable_and_disable_chain_and_are_booleans(serve):
    app = serve(app_of([], '''
app:enable("beta"):disable("alpha"):set("gamma", 3)
app:get("/", function() return { app:setting("beta"), app:setting("alpha"), app:setting("gamma") } end)'''))
    assert app.get("/").json() == [True, False, 3]


def test_a_setting_that_is_set_to_nil_is_the_default_again(serve):
    app = serve(app_of([], '''
app:set("etag", "strong"):set("etag", nil)
app:get("/", function() return { app:setting("etag") } end)'''))
    assert app.get("/").json() == ["weak"]


def test_settings_cannot_be_changed_while_the_application_runs(serve):
    app = serve(app_of([("set", 'local _, err = fsd.try(app.set, app, "x", 1); return err.message')]))
    assert "cannot add to an application that is running" in app.get("/set").text


def test_a_name_that_looks_like_a_setting_is_told_once_and_taken(serve):
    app = serve(app_of([], '''
app:set("title", 1):set("body", 2):set("end", 3):enable("envelope")
app:set("trust_proxies", 4):set("trust_proxies", 5):set("Etag", nil)
app:enable("view_chache")
app:get("/", function() return { app:setting("trust_proxies") } end)'''))
    assert app.get("/").json() == [5]
    told = sorted(record["msg"] for record in app.records() if "app:set" in record["msg"])
    assert [message.partition(": ")[2] for message in told] == [
        'app:set: "trust_proxies" is no setting of fsd\'s; did you mean "trust_proxy"?',
        'app:set: "view_chache" is no setting of fsd\'s; did you mean "view_cache"?']
    assert all(message.startswith("app.lua:") for message in told)
