"""fsd beside Express 5: 600 requests to the same application on both (test/express/).

What Express answers stands in test/express/table.json; where fsd answers something else on purpose, the row says why, and what.
With FSD_EXPRESS=FOLDER, whose node_modules have express and cookie-parser, Express is asked again, too."""
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "express"))
import asking  # noqa: E402
import probes  # noqa: E402

ROWS = json.loads(asking.TABLE.read_text())


def name_of(row):
    method, path, headers, body = row["request"]
    return " ".join([method, path, *(f"{name}={value}" for name, value in headers), *([body] if body else [])])


NAMED = [pytest.param(row, id=name_of(row)) for row in ROWS]


@pytest.fixture(scope="module")
def fsd(serve):
    return serve(probes.lua()).address()


@pytest.fixture(scope="module")
def express():
    with asking.Express(asking.find_express()) as address:
        yield address


def expected_of(row):
    return row.get("fsd", row["express"])


def test_the_table_has_every_request_that_there_is():
    assert [json.dumps(row["request"]) for row in ROWS] == [json.dumps(list(request)) for request in probes.requests()]
    assert len(ROWS) >= 400


def test_each_difference_has_a_reason():
    assert all(("why" in row) == ("fsd" in row) for row in ROWS)
    assert not [name_of(row) for row in ROWS if row.get("fsd") == row["express"]]


@pytest.mark.parametrize("row", NAMED)
def test_fsd_answers_as_express(fsd, row):
    answer, expected = asking.ask(fsd, *row["request"]), expected_of(row)
    is_right = answer["status"] == expected["status"] if asking.is_error_page(expected) else answer == expected
    assert is_right, (answer, expected)


@pytest.mark.parametrize("row", NAMED if asking.find_express() else [])
def test_express_answers_as_the_table_says(express, row):
    assert asking.ask(express, *row["request"]) == row["express"]
