"""The notes example, run as its README says."""
import concurrent.futures
import json
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "test/support"))
from app_process import AppProcess  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    process = AppProcess(tmp_path_factory.mktemp("notes"), HERE / "app.lua")
    try:
        yield process.start_ready()
    finally:
        process.kill()


@pytest.fixture
def notes(server):
    """The API without a note in it."""
    for note in server.get("/notes?limit=100").json()["notes"]:
        server.request("DELETE", f"/notes/{note['id']}")
    assert server.get("/notes").json() == {"notes": [], "total": 0, "limit": 20, "offset": 0}
    return server


def create(server, **fields):
    answer = server.request("POST", "/notes", {"title": "a note", **fields})
    assert answer.status == 201, answer.text
    return answer.json()


def problems(answer):
    assert answer.status == 422, answer.text
    body = answer.json()
    assert body["code"] == "validation"
    return {one["path"]: one["message"] for one in body["problems"]}


def titles(server, query):
    answer = server.get(f"/notes?{query}")
    assert answer.status == 200, answer.text
    return [note["title"] for note in answer.json()["notes"]]


def test_a_created_note_is_returned_with_its_place_id_and_times(notes):
    answer = notes.request("POST", "/notes", {"title": "Milk", "text": "two litres", "tags": ["shop"]})
    note = answer.json()
    assert answer.status == 201
    assert answer.headers["location"] == f"/notes/{note['id']}"
    assert isinstance(note["id"], int)
    assert (note["title"], note["text"], note["tags"]) == ("Milk", "two litres", ["shop"])
    assert note["created_at"] == note["updated_at"]
    assert len(note["created_at"]) == len("2026-01-01T00:00:00Z") and note["created_at"].endswith("Z")
    assert notes.get(f"/notes/{note['id']}").json() == note


def test_text_and_tags_may_be_left_out(notes):
    note = create(notes)
    assert (note["text"], note["tags"]) == ("", [])


def test_ids_are_not_used_again(notes):
    first = create(notes)
    notes.request("DELETE", f"/notes/{first['id']}")
    assert create(notes)["id"] > first["id"]


def test_the_list_is_newest_first_and_comes_in_pages(notes):
    for number in range(5):
        create(notes, title=f"n{number}")
    answer = notes.get("/notes?limit=2&offset=1").json()
    assert [note["title"] for note in answer["notes"]] == ["n3", "n2"]
    assert (answer["total"], answer["limit"], answer["offset"]) == (5, 2, 1)
    assert titles(notes, "offset=5") == []


def test_the_search_looks_into_titles_texts_and_whole_tags(notes):
    create(notes, title="Milk")
    create(notes, title="b", text="no milk today")
    create(notes, title="c", tags=["milk"])
    create(notes, title="d", tags=["milkshake"])
    assert titles(notes, "q=MILK") == ["c", "b", "Milk"]
    assert titles(notes, "q=100%25") == []
    assert titles(notes, "q=.") == []  # not a pattern
    assert len(titles(notes, "q=")) == 4


def test_put_replaces_the_whole_note(notes):
    note = create(notes, title="old", text="text", tags=["x"])
    answer = notes.request("PUT", f"/notes/{note['id']}", {"title": "new"})
    assert answer.status == 200
    assert {**answer.json(), "updated_at": None} == {
        **note, "title": "new", "text": "", "tags": [], "updated_at": None}


def test_patch_changes_only_what_it_names(notes):
    note = create(notes, title="old", text="text", tags=["x"])
    answer = notes.request("PATCH", f"/notes/{note['id']}", {"text": ""})
    assert {**answer.json(), "updated_at": None} == {**note, "text": "", "updated_at": None}
    assert notes.request("PATCH", f"/notes/{note['id']}", {}).json()["title"] == "old"


def test_a_deleted_note_is_gone(notes):
    note = create(notes)
    answer = notes.request("DELETE", f"/notes/{note['id']}")
    assert (answer.status, answer.body) == (204, b"")
    assert notes.get(f"/notes/{note['id']}").status == 404
    assert notes.request("DELETE", f"/notes/{note['id']}").status == 404


INVALID = [
    ({}, {"title": "is missing"}),
    ([], {"": "must be an object"}),
    ("text", {"": "must be an object"}),
    (None, {"": "must be an object"}),
    ({"title": ""}, {"title": "must have 1 to 200 characters, has 0"}),
    ({"title": "x" * 201}, {"title": "must have 1 to 200 characters, has 201"}),
    ({"title": None}, {"title": "must be a string"}),
    ({"title": 7}, {"title": "must be a string"}),
    ({"title": "x", "text": "x" * 10001}, {"text": "must have 0 to 10000 characters, has 10001"}),
    ({"title": "x", "tags": "shop"}, {"tags": "must be a list of strings"}),
    ({"title": "x", "tags": {}}, {"tags": "must be a list of strings"}),
    ({"title": "x", "tags": ["a", "", 3]}, {"tags[2]": "must have 1 to 30 characters, has 0", "tags[3]": "must be a string"}),
    ({"title": "x", "tags": ["a"] * 11}, {"tags": "must have at most 10 tags, has 11"}),
    ({"title": "x", "id": 5}, {"id": "is not a field of a note"}),
    ({"text": 1, "tags": 2}, {"title": "is missing", "text": "must be a string", "tags": "must be a list of strings"}),
]


@pytest.mark.parametrize("body, expected", INVALID)
def test_an_invalid_note_is_refused_with_every_problem(notes, body, expected):
    answer = notes.request("POST", "/notes", json.dumps(body), {"content-type": "application/json"})
    assert problems(answer) == expected
    assert notes.get("/notes").json()["total"] == 0


def test_put_and_patch_are_validated_too(notes):
    path = f"/notes/{create(notes)['id']}"
    assert problems(notes.request("PUT", path, {"text": "x"})) == {"title": "is missing"}
    assert problems(notes.request("PATCH", path, {"title": ""})) == {"title": "must have 1 to 200 characters, has 0"}
    assert notes.get(path).json()["title"] == "a note"


@pytest.mark.parametrize("query, path", [
    ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=1&limit=2", "limit"),
    ("offset=-1", "offset"), ("offset=1.5", "offset"), ("offset=" + "9" * 30, "offset"), ("q=a&q=b", "q"),
])
def test_an_invalid_list_query_is_refused(notes, query, path):
    assert list(problems(notes.get(f"/notes?{query}"))) == [path]


@pytest.mark.parametrize("path", ["/notes/999999", "/notes/0", "/notes/abc", "/notes/1.0", "/notes/" + "9" * 40])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_note_that_is_not_there_is_a_404_in_json(notes, method, path):
    body = {"title": "x"} if method in ("PUT", "PATCH") else None
    answer = notes.request(method, path, body)
    assert answer.status == 404
    assert answer.json() == {"error": "no note " + path[len("/notes/"):], "code": "note.missing"}


def test_an_unknown_path_is_a_404_in_json(notes):
    answer = notes.get("/nowhere", {"accept": "text/html"})
    assert answer.status == 404
    assert answer.json() == {"error": "nothing at /nowhere", "code": "path.missing"}


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", "/notes", {"GET", "HEAD", "POST"}),
    ("POST", "/notes/1", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
    ("POST", "/", {"GET", "HEAD"}),
])
def test_a_method_that_a_path_does_not_have_is_a_405_with_allow(notes, method, path, allow):
    answer = notes.request(method, path, b"" if method == "POST" else None)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == allow


@pytest.mark.parametrize("body", ["", "{", '{"title":"x"', "{'title':'x'}", '{"title":"\ud83d"}'.encode("utf-8", "surrogatepass")])
def test_malformed_json_is_a_400_that_says_where(notes, body):
    answer = notes.request("POST", "/notes", body, {"content-type": "application/json; charset=utf-8"})
    assert answer.status == 400
    assert answer.json()["code"] == "entity.parse.failed"
    assert "JSON" in answer.json()["error"]


@pytest.mark.parametrize("type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", None])
def test_another_content_type_is_refused(notes, type):
    answer = notes.request("POST", "/notes", '{"title":"x"}', {"content-type": type})
    assert (answer.status, answer.json()["code"]) == (415, "type.json")


def test_unicode_comes_back_as_it_was_sent(notes):
    text = "Grüße, 世界 🎈 \u2028 \\ \" </script> \x00\x1f"
    note = create(notes, title="🎈" * 200, text=text, tags=["ä"])
    assert notes.get(f"/notes/{note['id']}").json()["text"] == text
    assert titles(notes, "q=%E4%B8%96%E7%95%8C") == ["🎈" * 200]


def test_a_body_over_the_limit_is_a_413(notes):
    answer = notes.request("POST", "/notes", {"title": "x", "text": "x" * (1024 * 1024)})
    assert answer.status == 413
    assert create(notes)["title"] == "a note"


def test_the_store_has_a_limit(tmp_path):
    server = AppProcess(tmp_path, HERE / "app.lua")
    try:
        server.start_ready()
        with server.connection() as connection:
            for _ in range(1000):
                answer = server.request("POST", "/notes", {"title": "x"}, connection=connection)
                assert answer.status == 201
            answer = server.request("POST", "/notes", {"title": "x"}, connection=connection)
        assert (answer.status, answer.json()["code"]) == (507, "store.full")
    finally:
        server.kill()


def test_concurrent_clients_get_ids_of_their_own(notes):
    def work(client):
        with notes.connection() as connection:
            made = []
            for number in range(20):
                answer = notes.request("POST", "/notes", {"title": f"{client}/{number}"}, connection=connection)
                assert answer.status == 201
                made.append(answer.json())
            for note in made:
                assert notes.request("GET", f"/notes/{note['id']}", connection=connection).json() == note
            return [note["id"] for note in made]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = [number for made in pool.map(work, range(8)) for number in made]
    assert len(set(ids)) == 160
    assert notes.get("/notes").json()["total"] == 160
    for number in ids:
        notes.request("DELETE", f"/notes/{number}")


def test_the_page_is_html_with_its_script_and_needs_nothing_from_elsewhere(server):
    answer = server.get("/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" in answer.text and "fetch(" in answer.text and "/notes" in answer.text
    assert "http://" not in answer.text and "https://" not in answer.text and "src=" not in answer.text


def test_requests_are_logged_with_their_status_and_id(notes):
    notes.get("/notes/abc", {"x-request-id": "find-me-1"})
    notes.wait_log("find-me-1")
    line = next(line for line in notes.log().splitlines() if "find-me-1" in line)
    for field in ("request", "method=GET", "path=/notes/abc", "status=404"):
        assert field in line
