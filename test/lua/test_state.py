"""fsd.state: tables that belong to the worker, by name."""
import pytest

from handler_rows import app_of, names

HEAD = '''
local counts = fsd.state("counts", { n = 0 })
local function failure(...) local _, err = fsd.try(...) return err.message:match("%(.*") end
'''

ROWS = [
    ("the-first-call-decides-what-is-in-it", '''
        local initial = { color = "blue" }
        local first = fsd.state("first", initial)
        return { rawequal(first, initial), rawequal(fsd.state("first", { color = "red" }), initial), fsd.state("first").color }''',
     [True, True, "blue"]),
    ("without-an-initial-table-it-is-empty", "return { next(fsd.state(\"empty\")) == nil, next(fsd.state(\"none\", nil)) == nil }",
     [True, True]),
    ("other-names-are-other-tables", "return { rawequal(fsd.state(\"one\"), fsd.state(\"two\")), rawequal(fsd.state(\"counts\"), counts) }",
     [False, True]),
    ("what-is-no-name-or-no-table-is-refused", '''
        return { failure(fsd.state, ""), failure(fsd.state, ("x"):rep(256)), failure(fsd.state, "x", 5), failure(fsd.state) }''',
     ["(a name has 1 to 255 bytes)"] * 2
     + ["(table expected, got number)", "(string expected, got no value)"]),
]


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(ROWS + [("count", "counts.n = counts.n + 1 return { counts.n }", None)], HEAD))


@pytest.mark.parametrize("name, body, expected", ROWS, ids=names(ROWS))
def test_row(app, name, body, expected):
    assert app.get("/" + name).json() == expected


def test_it_lasts_from_one_request_to_the_next(app):
    first = app.get("/count").json()[0]
    assert app.get("/count").json()[0] == first + 1
