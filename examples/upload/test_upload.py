"""The upload example, run as its README says."""
import json
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "test/support"))
from app_process import AppProcess  # noqa: E402
from fsd_process import wait_for  # noqa: E402

BOUNDARY = "XXboundaryXX"
TYPE = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def form(*parts):
    """Each part is (head of the disposition, bytes)."""
    body = b""
    for head, data in parts:
        body += f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def file(name, data):
    return f'name="files"; filename="{name}"', data


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def server(tmp_path_factory, folder):
    process = AppProcess(tmp_path_factory.mktemp("upload"), HERE / "app.lua", workers=2)
    process.write_conf()
    conf = json.loads((process.folder / "fsd.yaml").read_text())
    conf["apps"]["shop"]["env"] = {"UPLOAD_DIR": str(folder)}
    (process.folder / "fsd.yaml").write_text(json.dumps(conf))
    try:
        yield process.start_ready()
    finally:
        process.kill()


@pytest.fixture
def upload(server):
    """The application without a file in it."""
    for one in server.get("/files").json():
        assert server.request("DELETE", f"/files/{one['id']}").status == 204
    assert server.get("/files").json() == []
    return server


def kept(folder):
    return [path for path in folder.iterdir() if path.suffix != ".jsonl"]


def test_files_are_kept_and_given_back(upload, folder):
    data = bytes(range(256)) * 4000
    answer = upload.request("POST", "/files", form(file("a.bin", data), ('name="note"', b"two of them"), file("b.txt", b"b")), TYPE)
    assert answer.status == 201
    first, second = answer.json()
    assert (first["name"], first["size"], first["note"]) == ("a.bin", len(data), "two of them")
    download = upload.get(f"/files/{first['id']}")
    assert download.body == data
    assert download.headers["content-disposition"].startswith("attachment")
    assert download.headers["content-type"] == "application/octet-stream"
    assert download.headers["x-content-type-options"] == "nosniff"
    assert [one["id"] for one in upload.get("/files").json()] == [second["id"], first["id"]]
    assert len(kept(folder)) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept(folder))


def test_every_worker_knows_all_files(upload):
    [one] = upload.request("POST", "/files", form(file("a", b"1")), TYPE).json()
    assert {upload.get(f"/files/{one['id']}").status for _ in range(20)} == {200}


def test_a_browser_is_sent_back_to_the_page(upload):
    answer = upload.request("POST", "/files", form(file("a.txt", b"1")), {**TYPE, "accept": "text/html"})
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert '>a.txt</a>' in upload.get("/").text


def test_names_and_notes_are_only_text_on_the_page(upload):
    upload.request("POST", "/files", form(file("<b>.txt", b"1"), ('name="note"', b"<script>")), TYPE)
    text = upload.get("/").text
    assert "&lt;b&gt;.txt" in text and "&lt;script&gt;" in text and "<script>" not in text


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "C:\\\\x\\\\passwd"])
def test_a_name_is_never_a_path(upload, folder, name):
    [one] = upload.request("POST", "/files", form(file(name, b"1")), TYPE).json()
    assert one["name"] in ("passwd", "unnamed")
    assert len(kept(folder)) == 1


# what is sent, status, code
REFUSED = [
    (form(file("a", b"x" * (4 * 1024 * 1024 + 1))), 413, "LIMIT_FILE_SIZE"),
    (form(*[file("a", b"1")] * 6), 413, "LIMIT_FILE_COUNT"),
    (form(('name="other"; filename="a"', b"1")), 400, "LIMIT_UNEXPECTED_FILE"),
    (form(file("a", b"1"), ('name="note"', b"x" * 2049)), 413, "LIMIT_FIELD_VALUE"),
    (form(file("a", b"1"), *[('name="f"', b"")] * 6), 413, "LIMIT_FIELD_COUNT"),
    (form(file("a", b"1"))[:-8], 400, "entity.parse.failed"),
    (form(('name="note"', b"x")), 422, None),
    (form(file("", b"")), 422, None),
]


@pytest.mark.parametrize("body, status, code", REFUSED, ids=[f"{code}-{i}" for i, (_, _, code) in enumerate(REFUSED)])
def test_what_is_refused_leaves_nothing(upload, folder, body, status, code):
    answer = upload.request("POST", "/files", body, TYPE)
    assert answer.status == status
    if code:
        assert answer.json()["code"] == code
    assert upload.get("/files").json() == []
    wait_for(lambda: not kept(folder), "the files of the refused form to go")


def test_a_browser_is_told_on_a_page(upload):
    answer = upload.request("POST", "/files", form(), {**TYPE, "accept": "text/html"})
    assert answer.status == 422
    assert "choose at least one file" in answer.text and answer.headers["content-type"].startswith("text/html")


def test_files_are_removed(upload, folder):
    [one] = upload.request("POST", "/files", form(file("a", b"1")), TYPE).json()
    assert upload.request("DELETE", f"/files/{one['id']}").status == 204
    assert upload.get(f"/files/{one['id']}").status == 404
    assert upload.request("DELETE", f"/files/{one['id']}").status == 404
    assert kept(folder) == []
