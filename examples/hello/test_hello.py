"""The hello example, run as its README says."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "test/support"))
from app_process import AppProcess  # noqa: E402

pytestmark = pytest.mark.basic


@pytest.fixture(scope="module")
def hello(tmp_path_factory):
    process = AppProcess(tmp_path_factory.mktemp("hello"), HERE / "app.lua")
    try:
        yield process.start_ready()
    finally:
        process.kill()


def test_the_root_says_hello(hello):
    answer = hello.get("/")
    assert (answer.status, answer.body) == (200, b"Hello, World!")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_the_address_is_printed_where_a_person_looks(hello):
    assert f"listening on http://{hello.address()}" in hello.out()


def test_both_parameters_come_from_the_path(hello):
    assert hello.get("/users/7/posts/a%20b").json() == {"id": "7", "post": "a b"}


def test_the_echo_returns_the_json_that_it_got(hello):
    body = {"list": [], "object": {}, "big": 9007199254740993, "text": "ä"}
    assert hello.request("POST", "/echo", body).json() == body


def test_the_middleware_marks_every_answer(hello):
    assert hello.get("/").headers["x-app"] == "hello"
    assert hello.get("/nowhere").headers["x-app"] == "hello"


def test_an_error_is_answered_by_on_error(hello):
    answer = hello.request("POST", "/echo", "{")
    assert answer.status == 400
    assert answer.json()["error"].startswith("invalid JSON at line 1")


def test_an_unknown_path_is_404_and_a_wrong_method_405(hello):
    assert hello.get("/nowhere").status == 404
    answer = hello.request("DELETE", "/echo")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
