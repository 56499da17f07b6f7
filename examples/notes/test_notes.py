"""The notes example, run as its README says, with two workers: each request has a connection of its own, so both get some."""
import concurrent.futures
import html
import json
import pathlib
import re
import sys
import urllib.parse

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "test/support"))
from app_process import AppProcess  # noqa: E402

FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html", "sec-fetch-site": "same-origin"}
PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Notes(AppProcess):
    """Each test is a client of its own: so many writes a minute are what one client may do."""

    client = 0

    def request(self, method, path, body=None, headers=(), connection=None):
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        pairs.append(("x-forwarded-for", f"2001:db8:{self.client:x}::1"))
        return super().request(method, path, body, pairs, connection)

    def send_form(self, path, headers=(), **fields):
        return self.request("POST", path, urllib.parse.urlencode(fields, doseq=True), {**FORM, **dict(headers)})


def start(folder):
    process = Notes(folder, HERE / "app.lua", workers=2)
    process.start_ready(["--shared", "notes=64MiB,limits"])
    return process


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    process = start(tmp_path_factory.mktemp("notes"))
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture
def notes(server):
    """The API without a note in it."""
    server.client += 1
    for note in server.get("/notes/export").json():
        assert server.request("DELETE", f"/notes/{note['id']}").status == 204
    assert server.get("/notes").json() == {"notes": [], "total": 0, "limit": 20, "offset": 0}
    return server


def create(server, **fields):
    answer = server.request("POST", "/notes", {"title": "a note", **fields})
    assert answer.status == 201, answer.text
    return answer.json()


def problems(answer):
    assert answer.status == 400, answer.text
    body = answer.json()
    assert body["code"] == "validation"
    return {one["path"]: one["message"] for one in body["problems"]}


def titles(server, query):
    answer = server.get(f"/notes?{query}")
    assert answer.status == 200, answer.text
    return [note["title"] for note in answer.json()["notes"]]


def test_a_created_note_is_returned_with_its_place_version_and_times(notes):
    answer = notes.request("POST", "/notes", {"title": " Milk ", "text": "two litres", "tags": ["shop"]})
    note = answer.json()
    assert answer.status == 201
    assert (answer.headers["location"], answer.headers["etag"]) == (f"/notes/{note['id']}", '"1"')
    assert (note["title"], note["text"], note["tags"], note["version"]) == ("Milk", "two litres", ["shop"], 1)
    assert note["created_at"] == note["updated_at"]
    assert len(note["created_at"]) == len("2026-01-01T00:00:00Z") and note["created_at"].endswith("Z")
    assert notes.get(answer.headers["location"]).json() == note


def test_text_and_tags_may_be_left_out_and_what_is_not_known_is_dropped(notes):
    note = create(notes, id=77, admin=True, tags=["", "a"])
    assert (note["text"], note["tags"]) == ("", ["a"]) and note["id"] != 77 and "admin" not in note
    assert create(notes)["tags"] == []


def test_ids_are_not_used_again(notes):
    first = create(notes)
    notes.request("DELETE", f"/notes/{first['id']}")
    assert create(notes)["id"] > first["id"]


def test_the_list_is_newest_first_and_links_to_its_other_pages(notes):
    for number in range(5):
        create(notes, title=f"n {number}")
    answer = notes.get("/notes?q=n&limit=2&offset=1")
    assert [note["title"] for note in answer.json()["notes"]] == ["n 3", "n 2"]
    assert (answer.json()["total"], answer.json()["limit"], answer.json()["offset"]) == (5, 2, 1)
    links = dict(re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers["link"]))
    by_rel = {rel: urllib.parse.parse_qs(urllib.parse.urlsplit(url).query) for url, rel in links.items()}
    assert by_rel == {"prev": {"q": ["n"], "limit": ["2"], "offset": ["0"]}, "next": {"q": ["n"], "limit": ["2"], "offset": ["3"]}}
    last = next(url for url, rel in links.items() if rel == "next")
    assert last.startswith("/notes?")
    assert [note["title"] for note in notes.get(last).json()["notes"]] == ["n 1", "n 0"]
    assert 'rel="next"' not in notes.get(last).headers["link"]
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


def test_put_replaces_the_whole_note_and_patch_what_it_names(notes):
    note = create(notes, title="old", text="text", tags=["x"])
    path = f"/notes/{note['id']}"
    changed = notes.request("PATCH", path, {"text": ""}).json()
    assert {**changed, "updated_at": 0} == {**note, "text": "", "version": 2, "updated_at": 0}
    put = notes.request("PUT", path, {"title": "new"})
    assert put.status == 200
    assert {**put.json(), "updated_at": 0} == {**note, "title": "new", "text": "", "tags": [], "version": 3, "updated_at": 0}
    assert notes.request("PATCH", path, {}).json()["title"] == "new"


def test_a_deleted_note_is_gone(notes):
    path = f"/notes/{create(notes)['id']}"
    answer = notes.request("DELETE", path)
    assert (answer.status, answer.body) == (204, b"")
    assert notes.get(path).status == 404
    assert notes.request("DELETE", path).status == 404


INVALID = [
    ({}, {"title": "is missing"}),
    ([], {"": "must be an object"}),
    ("text", {"": "must be an object"}),
    ({"title": " "}, {"title": "must have 1 to 200 characters, has 0"}),
    ({"title": "x" * 201}, {"title": "must have 1 to 200 characters, has 201"}),
    ({"title": None}, {"title": "is missing"}),
    ({"title": 7}, {"title": "must be a string"}),
    ({"title": "x", "text": "x" * 10001}, {"text": "must have at most 10000 characters, has 10001"}),
    ({"title": "x", "tags": "shop"}, {"tags": "must be a list"}),
    ({"title": "x", "tags": ["a", "b" * 31, 3]}, {"tags[2]": "must have at most 30 characters, has 31", "tags[3]": "must be a string"}),
    ({"title": "x", "tags": ["a"] * 11}, {"tags": "must have at most 10 items, has 11"}),
    ({"text": 1, "tags": 2}, {"title": "is missing", "text": "must be a string", "tags": "must be a list"}),
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


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_note_that_is_not_there_is_a_404_in_json(notes, method):
    for path, expected in [("999999", ("no note 999999", "note.missing")), ("0", ("no note 0", "note.missing")),
                           ("abc", ("nothing at /notes/abc", "path.missing")), ("1.0", ("nothing at /notes/1.0", "path.missing")),
                           ("9" * 40, (f"nothing at /notes/{'9' * 40}", "path.missing"))]:
        answer = notes.request(method, f"/notes/{path}", {"title": "x"} if method in ("PUT", "PATCH") else None)
        assert answer.status == 404
        assert answer.json() == {"error": expected[0], "code": expected[1]}


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", "/notes", {"GET", "HEAD", "POST"}),
    ("POST", "/notes/1", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
])
def test_a_method_that_a_path_does_not_have_is_a_405_with_allow(notes, method, path, allow):
    answer = notes.request(method, path, b"" if method == "POST" else None)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == allow


@pytest.mark.parametrize("body", ["", "{", '{"title":"x"', "{'title':'x'}", '{"title":"\ud83d"}'.encode("utf-8", "surrogatepass")])
def test_malformed_json_is_a_400_that_says_where(notes, body):
    answer = notes.request("POST", "/notes", body, {"content-type": "application/json; charset=utf-8"})
    assert (answer.status, answer.json()["code"]) == (400, "entity.parse.failed")
    assert "JSON" in answer.json()["error"]


@pytest.mark.parametrize("kind", ["text/plain", "application/jsonx", None])
def test_another_content_type_is_refused(notes, kind):
    assert notes.request("POST", "/notes", '{"title":"x"}', {"content-type": kind}).status == 415


def test_unicode_comes_back_as_it_was_sent(notes):
    text = "Grüße, 世界 🎈 \u2028 \\ \" </script> \x00\x1f"
    note = create(notes, title="🎈" * 200, text=text, tags=["ä"])
    assert notes.get(f"/notes/{note['id']}").json()["text"] == text
    assert titles(notes, "q=%E4%B8%96%E7%95%8C") == ["🎈" * 200]


def test_a_copy_that_is_still_right_is_answered_304(notes):
    path = f"/notes/{create(notes)['id']}"
    answer = notes.get(path)
    assert (answer.headers["etag"], answer.headers["cache-control"], answer.headers["vary"]) == ('"1"', "no-cache", "Accept")
    copy = {"if-none-match": answer.headers["etag"]}
    assert (notes.get(path, copy).status, notes.get(path, copy).body) == (304, b"")
    notes.request("PATCH", path, {"text": "other"})
    assert notes.get(path, copy).status == 200


@pytest.mark.parametrize("match, status", [
    ('"1"', 412), ('"2"', 200), ('"1", "2"', 200), ("*", 200), ('W/"2"', 412), ("2", 412), ("", 412), (None, 200),
])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_if_match_keeps_from_overwriting_what_was_not_seen(notes, method, match, status):
    path = f"/notes/{create(notes)['id']}"
    assert notes.request("PATCH", path, {"text": "somebody else"}).headers["etag"] == '"2"'
    answer = notes.request(method, path, None if method == "DELETE" else {"title": "mine"}, {"if-match": match})
    assert answer.status == (204 if method == "DELETE" and status == 200 else status)
    if status == 412:
        assert answer.json()["code"] == "note.changed"
        assert notes.get(path).json()["text"] == "somebody else"


def test_the_version_in_the_body_does_the_same(notes):
    note = create(notes)
    path = f"/notes/{note['id']}"
    assert notes.request("PUT", path, {**note, "text": "first"}).json()["version"] == 2
    assert notes.request("PUT", path, {**note, "text": "second"}).status == 412
    assert notes.get(path).json()["text"] == "first"


def test_of_many_who_change_one_version_one_succeeds(notes):
    path = f"/notes/{create(notes)['id']}"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: notes.request("PATCH", path, {"text": str(n)}, {"if-match": '"1"'}), range(16)))
    assert sorted(answer.status for answer in answers) == [200] + [412] * 15
    assert notes.get(path).json() == next(answer.json() for answer in answers if answer.status == 200)


def test_no_change_of_many_at_a_time_is_lost(notes):
    path = f"/notes/{create(notes)['id']}"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        versions = sorted(pool.map(lambda n: notes.request("PATCH", path, {"text": str(n)}).json()["version"], range(32)))
    assert versions == list(range(2, 34))


def test_all_workers_have_the_same_notes(notes):
    def work(client):
        made = [create(notes, title=f"{client}/{number}") for number in range(20)]
        for note in made:
            assert notes.get(f"/notes/{note['id']}").json() == note
        return [note["id"] for note in made]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = [number for made in pool.map(work, range(8)) for number in made]
    assert len(set(ids)) == 160
    assert notes.get("/notes").json()["total"] == 160
    workers = notes.status()["pools"][0]["workers"]
    assert len([worker for worker in workers if worker["slot"] is not None and worker["requests"] > 0]) == 2


def test_the_store_and_the_writes_of_a_client_have_a_limit(tmp_path):
    server = start(tmp_path)
    try:
        with server.connection() as connection:
            for _ in range(500):
                assert server.request("POST", "/notes", {"title": "x"}, connection=connection).status == 201
            answer = server.request("POST", "/notes", {"title": "x"}, connection=connection)
            assert (answer.status, answer.json()) == (507, {"error": "there are 500 notes already", "code": "store.full"})
            for _ in range(2 * 600):  # in two windows at most
                answer = server.request("POST", "/notes", {"title": "x"}, connection=connection)
                if answer.status == 429:
                    break
        assert (answer.status, answer.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert server.get("/notes").status == 200
        server.client += 1
        assert server.request("POST", "/notes", {"title": "x"}).status == 507
    finally:
        server.kill()


def test_all_notes_can_be_saved_as_a_file(notes):
    made = [create(notes, title=f"n{number}") for number in range(30)]
    answer = notes.get("/notes/export")
    assert answer.json() == made[::-1]
    assert answer.headers["content-disposition"] == "attachment; filename=notes.json"


def test_a_browser_gets_pages_in_which_texts_are_only_texts(notes):
    note = create(notes, title="<script>alert(1)</script>", text='"><b>', tags=["a&b"])
    path = f"/notes/{note['id']}"
    for page in notes.get("/notes", PAGE), notes.get(path, PAGE), notes.get("/notes/999999", PAGE), notes.get("/<b>", PAGE):
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.text.startswith("<!doctype html>") and page.text.endswith("</html>\n")
        assert "<script>" not in page.text and "<b>" not in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
    assert f'<a href="{path}">&lt;script&gt;alert(1)&lt;/script&gt;</a>' in notes.get("/notes", PAGE).text
    assert 'value="a&amp;b"' in notes.get(path, PAGE).text
    assert notes.get("/").headers["location"] == "/notes"


def test_pages_link_to_those_before_and_after(notes):
    for number in range(3):
        create(notes, title=f"n{number}")
    page = notes.get("/notes?limit=1&offset=1", PAGE).text
    links = dict(re.findall(r'<a rel="(\w+)" href="([^"]*)"', page))
    assert ">n2</a>" in notes.get(html.unescape(links["prev"]), PAGE).text
    assert ">n0</a>" in notes.get(html.unescape(links["next"]), PAGE).text


def test_forms_make_change_and_delete_notes(notes):
    made = notes.send_form("/notes", title="by form", text="", tags=["a", "", "b"])
    assert made.status == 303
    path = made.headers["location"]
    assert notes.get(path).json()["tags"] == ["a", "b"]
    assert 'name="version" value="1"' in notes.get(path, PAGE).text
    changed = notes.send_form(path, _method="PUT", version=1, title="new", text="t", tags="")
    assert (changed.status, changed.headers["location"]) == (303, path)
    assert {"title": "new", "text": "t", "tags": [], "version": 2}.items() <= notes.get(path).json().items()
    for method in "PUT", "DELETE":
        late = notes.send_form(path, _method=method, version=1, title="late")
        assert late.status == 412 and "somebody else has changed this note" in late.text
    gone = notes.send_form(path, _method="DELETE", version=2)
    assert (gone.status, gone.headers["location"]) == (303, "/notes")
    assert notes.get(path).status == 404


def test_a_form_that_is_wrong_is_answered_by_a_page_that_says_so(notes):
    answer = notes.send_form("/notes", title="")
    assert answer.status == 400 and "title must have 1 to 200 characters" in answer.text


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": None, "origin": "https://evil.example"}])
def test_forms_of_other_sites_are_refused(notes, headers):
    assert notes.send_form("/notes", headers, title="x").status == 403
    path = f"/notes/{create(notes)['id']}"
    assert notes.send_form(path, headers, _method="DELETE").status == 403
    assert notes.get("/notes").json()["total"] == 1


@pytest.mark.parametrize("path, kind", [("/notes.css", "text/css; charset=utf-8"), ("/notes.js", "text/javascript; charset=utf-8")])
def test_files_of_pages_may_be_kept_for_an_hour(notes, path, kind):
    answer = notes.get(path)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert f'"{path}"' in notes.get("/notes", PAGE).text
    assert notes.get(path, {"if-none-match": answer.headers["etag"]}).status == 304


def test_answers_have_an_id(notes):
    assert notes.get("/notes", {"x-request-id": "find-me-1"}).headers["x-request-id"] == "find-me-1"
