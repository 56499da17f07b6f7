"""fsd.mw.rate_limit: who is counted, how often, by all workers together, and what is told."""
import concurrent.futures
import re

import pytest

from app_process import AppProcess

# A window that ends in 2033: no test sees it end.
WINDOW = 1000000000

APP = '''local fsd = require "fsd"
local app = fsd.app()
local key = function(req) return req:get "x-key" or "nobody" end
local function limit(path, options)
  options.window, options.key, options.name = 1000000000, options.key or key, path
  app:use(path, fsd.mw.rate_limit(options))
end
limit("/three", { limit = 3 })
limit("/draft6", { limit = 3, standard_headers = "draft-6", legacy_headers = true })
limit("/draft7", { limit = 3, standard_headers = "draft-7" })
limit("/plain", { limit = 1, standard_headers = false, message = { slow = true }, status = 503 })
limit("/fn", { limit = function(req) return tonumber(req:get "x-limit") end, identifier = "by plan" })
limit("/failed", { limit = 2, skip_failed = true })
limit("/good", { limit = 2, skip_successful = true })
limit("/own", { limit = 0, handler = function(req, res) res:status(418):send "mine" end })
limit("/skip", { limit = 0, skip = function(req) return req:get "x-friend" ~= nil end })
limit("/bad", { key = function() return nil end })
app:set("trust_proxy", true)
app:use("/ip", fsd.mw.rate_limit { window = 1000000000, limit = 2, name = "ip" })
app:use("/big", fsd.mw.rate_limit { window = 1000000000, limit = 300, name = "big", key = function() return "all" end })
app:get("/:any/error", function() error { status = 400, message = "no" } end)
app:use(function(req, res) return { req.rate_limit and req.rate_limit.used or 0, fsd.worker.self().slot } end)
return app
'''


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    process = AppProcess(tmp_path_factory.mktemp("limits"), APP, workers=2)
    yield process.start_ready(["--shared", "limits"])
    process.kill()


def ask(app, path, key, count=1, **headers):
    return [app.get(path, {"x-key": key, **headers}) for _ in range(count)][-1]


def test_what_is_over_the_limit_is_refused_and_told_when_to_come_back(app):
    first = ask(app, "/three", "a")
    assert (first.status, first.json()[0]) == (200, 1)
    assert first.headers["ratelimit-policy"] == '"3-in-1000000000s";q=3;w=1000000000'
    assert re.fullmatch(r'"3-in-1000000000s";r=2;t=\d+', first.headers["ratelimit"])
    assert ask(app, "/three", "a", 2).status == 200
    over = ask(app, "/three", "a")
    assert (over.status, over.json()["error"]) == (429, "too many requests, please try again later")
    assert 1 <= int(over.headers["retry-after"]) <= WINDOW
    assert re.fullmatch(r'"3-in-1000000000s";r=0;t=\d+', over.headers["ratelimit"])


def test_each_is_counted_alone(app):
    assert ask(app, "/three", "b", 4).status == 429
    assert ask(app, "/three", "c").status == 200


@pytest.mark.parametrize("key", ["x" * 5000, "a\tb", "ä".encode().decode("latin-1"), "", ":" * 300])
def test_any_text_is_a_key(app, key):
    assert [ask(app, "/three", key).status for _ in range(4)] == [200, 200, 200, 429]


def test_long_keys_that_begin_alike_are_two(app):
    ask(app, "/three", "y" * 900 + "1", 4)
    assert ask(app, "/three", "y" * 900 + "2").status == 200


def test_headers_of_earlier_drafts(app):
    headers = ask(app, "/draft6", "a").headers
    assert (headers["ratelimit-policy"], headers["ratelimit-limit"], headers["ratelimit-remaining"]) == ("3;w=1000000000", "3", "2")
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("3", "2")
    assert 0 < int(headers["ratelimit-reset"]) <= WINDOW and int(headers["x-ratelimit-reset"]) % WINDOW in (0, 1, WINDOW - 1)
    headers = ask(app, "/draft7", "a").headers
    assert headers["ratelimit-policy"] == "3;w=1000000000" and re.fullmatch(r"limit=3, remaining=2, reset=\d+", headers["ratelimit"])


def test_words_status_and_headers_may_be_others(app):
    assert "ratelimit" not in ask(app, "/plain", "a").headers
    over = ask(app, "/plain", "a")
    assert (over.status, over.json()) == (503, {"slow": True})
    assert "retry-after" in over.headers


def test_a_limit_may_depend_on_who_asks(app):
    assert [ask(app, "/fn", "a", **{"x-limit": "1"}).status for _ in range(2)] == [200, 429]
    answer = ask(app, "/fn", "a", **{"x-limit": "10"})
    assert answer.status == 200 and answer.headers["ratelimit-policy"] == '"by plan";q=10;w=1000000000'


def test_failures_may_go_uncounted(app):
    for _ in range(5):
        assert ask(app, "/failed/error", "a").status == 400
    assert [ask(app, "/failed", "a").status for _ in range(3)] == [200, 200, 429]


def test_successes_may_go_uncounted(app):
    for _ in range(5):
        assert ask(app, "/good", "a").status == 200
    assert [ask(app, "/good/error", "a").status for _ in range(3)] == [400, 400, 429]


def test_a_handler_may_answer_or_skip(app):
    assert (ask(app, "/own", "a").status, ask(app, "/own", "a").text) == (418, "mine")
    assert ask(app, "/skip", "a").status == 429
    assert ask(app, "/skip", "a", **{"x-friend": "1"}).status == 200


def test_a_key_that_is_none_is_the_mistake_of_the_application(app):
    assert app.get("/bad").status == 500
    app.wait_log("fsd.mw.rate_limit: key must return a string or number, got nil")


@pytest.mark.parametrize("address, same, other", [
    ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"), ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:3::1"),
])
def test_by_default_an_address_is_counted(app, address, same, other):
    """Of IPv6 the network of a customer: who has one has more addresses than requests."""
    statuses = [app.get("/ip", {"x-forwarded-for": one}).status for one in (address, same, address, same, other)]
    assert statuses == [200, 200, 429, 429, 200]


def test_all_workers_count_together(app):
    """Exactly as many pass as may, however they are spread over the workers."""
    def one(_):
        answer = app.get("/big")
        return answer.status, answer.json()[1] if answer.status == 200 else None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(500)))
    assert [status for status, _ in answers].count(200) == 300
    assert [status for status, _ in answers].count(429) == 200
    assert {slot for status, slot in answers if status == 200} == {0, 1}


def test_a_reload_counts_on(app):
    assert ask(app, "/three", "reload", 2).status == 200
    app.call("reload")
    assert [ask(app, "/three", "reload").status for _ in range(2)] == [200, 429]
