"""The options of the middleware that is shipped: a mistake raises where it was made, and says what was meant."""
import pytest

from handler_rows import app_of, names

# (name, what is called, what the message has)
MISTAKES = [
    ("a_middleware_that_is_none", "fsd.mw.corss {}", 'fsd.mw has no "corss"; did you mean "cors"?'),
    ("an_option_that_is_none", "fsd.mw.cors { orign = '*' }", 'fsd.mw.cors: unknown option "orign"; did you mean "origin"?'),
    ("options_that_are_no_table", "fsd.mw.cors 'x'", 'fsd.mw.cors: options must be a table, got "x"'),
    ("an_option_of_another_type", "fsd.mw.cors { credentials = 1 }", 'fsd.mw.cors: option "credentials" must be a boolean, got 1'),
    ("any_site_with_credentials", "fsd.mw.cors { credentials = true }", "with credentials, origin must name the sites"),
    ("every_site_with_credentials", "fsd.mw.cors { origin = true, credentials = true }", "with credentials, origin must name the sites"),
    ("an_origin_with_a_path", "fsd.mw.cors { origin = 'https://a.example/' }", "must be an origin such as"),
    ("a_star_in_the_middle", "fsd.mw.cors { origin = 'https://a.*.example' }", 'may have one "*"'),
    ("a_star_for_all_of_a_domain", "fsd.mw.cors { origin = 'https://*' }", 'may have one "*"'),
    ("a_star_in_a_list", "fsd.mw.cors { origin = { 'https://a.example', '*' } }", 'must not have "*" in a list'),
    ("a_preflight_that_fails", "fsd.mw.cors { options_success_status = 404 }", "must be a status from 200 to 299"),
    ("a_header_with_a_line_break", "fsd.mw.secure_headers { referrer_policy = 'a\\r\\nb: c' }", "must not have control characters"),
    ("a_frame_option_that_is_none", "fsd.mw.secure_headers { x_frame_options = 'ALLOW' }", 'must be one of false, true, "SAMEORIGIN", "DENY"'),
    ("a_directive_that_is_none", "fsd.mw.secure_headers { content_security_policy = { scirpt_src = {} } }",
     'unknown directive "scirpt_src"; did you mean "script_src"?'),
    ("a_source_without_quotes", "fsd.mw.secure_headers { content_security_policy = { script_src = { 'self' } } }", "with quotes"),
    ("a_source_that_ends_the_directive", "fsd.mw.secure_headers { content_security_policy = { script_src = { 'a; b' } } }", "must not have"),
    ("a_network_that_is_none", "fsd.mw.ip_restriction { allow = { '10.0.0.0/33' } }", 'option "allow" has "10.0.0.0/33", which is no address or network'),
    ("a_limit_of_a_form_that_is_none", "fsd.mw.method_override { limit = 'much' }", 'option "limit" must be a number of bytes, such as 65536 or "64kb", got "much"'),
    ("an_octal_address", "fsd.mw.ip_restriction { deny = '010.0.0.1' }", "which is no address or network"),
    ("no_seconds", "fsd.mw.timeout {}", 'option "seconds" is missing'),
    ("seconds_below_nothing", "fsd.mw.timeout(-1)", "must be more than 0"),
    ("no_users", "fsd.mw.basic_auth {}", "expects either users or verify"),
    ("a_user_with_a_colon", "fsd.mw.basic_auth { users = { ['a:b'] = 'x' } }", "names have no colon"),
    ("a_token_with_a_blank", "fsd.mw.bearer_auth { token = 'a b' }", "must be a list of tokens"),
    ("both_token_and_verify", "fsd.mw.bearer_auth { token = 'a', verify = print }", "expects either token or verify"),
    ("a_limit_that_is_none", "fsd.mw.body_limit 'much'", "must be a number of bytes"),
    ("a_mode_that_is_none", "fsd.mw.trailing_slash 'both'", 'must be one of "trim", "append"'),
    ("a_redirect_that_is_none", "fsd.mw.trailing_slash { status = 200 }", "must be one of 301, 302, 307, 308"),
    ("methods_in_small_letters", "fsd.mw.method_override { methods = { 'put' } }", "must be a list of methods in capitals"),
    ("no_languages", "fsd.mw.language { supported = {} }", 'option "supported" is empty'),
    ("a_fallback_that_is_not_supported", "fsd.mw.language { supported = { 'en' }, fallback = 'de' }", "must be one of those supported"),
    ("a_window_of_nothing", "fsd.mw.rate_limit { window = 0 }", "must be at least 1"),
    ("a_dictionary_that_is_not_there", "fsd.mw.rate_limit { dictionary = 'nothing' }", "nothing"),
    ("a_store_that_is_none", "fsd.mw.rate_limit { store = 'memory' }", 'must be one of "shared"'),
    ("headers_of_no_draft", "fsd.mw.rate_limit { standard_headers = 'draft-9' }", 'must be one of false, "draft-6"'),
    ("no_secret", "fsd.mw.session {}", 'option "secret" is missing'),
    ("a_secret_that_is_short", "fsd.mw.session { secret = 'short' }", "must be strings of 16 characters or more"),
    ("a_store_that_is_not_there_yet", "fsd.mw.session { secret = ('x'):rep(16), store = 'pg' }", "is not there yet"),
    ("an_option_of_the_cookie", "fsd.mw.session { secret = ('x'):rep(16), cookie = { samesite = 'lax' } }",
     'fsd.mw.session: cookie: unknown option "samesite"; did you mean "same_site"?'),
    ("a_cookie_for_all_sites_in_the_clear", "fsd.mw.session { secret = ('x'):rep(16), cookie = { same_site = 'none', secure = false } }",
     "needs secure"),
    ("an_origin_of_csrf_with_a_path", "fsd.mw.csrf { origin = 'https://a.example/x' }", "must be origins such as"),
    ("a_timing_with_a_blank", "fsd.mw.timing { total = 'a b' }", "must be a name without blanks"),
]


def rows():
    for name, code, _ in MISTAKES:
        yield name, f"local _, err = fsd.try(function() local m = {code} return m end) return {{ err.message }}"


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(list(rows())))


@pytest.mark.parametrize("name, code, message", MISTAKES, ids=names(MISTAKES))
def test_a_mistake_says_what_and_where(app, name, code, message):
    said = app.get("/" + name).json()[0]
    assert message in said
    if name != "a_dictionary_that_is_not_there":
        assert said.startswith("app.lua:"), said


def test_a_value_is_shown_once(app):
    assert app.get("/a_network_that_is_none").json()[0].count("10.0.0.0/33") == 1
