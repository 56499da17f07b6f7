"""Bodies that are made to cost much: each is refused with its status, the memory comes back, and a client beside loses nothing."""
import gzip
import pathlib
import threading

import pytest

from app_process import AppProcess
from fsd_process import wait_for
from service import IS_SANITIZED

MIB = 1024 * 1024
ROUNDS = 5
BACK_MIB = 2

APP = '''
local fsd = require "fsd"
local app = fsd.app()
app:on_error(function(err, req, res) res:status(err.status):json{ code = err.code } end)
app:post("/json", function(req) req:json{ limit = "64mb" } return 204 end)
app:post("/form", function(req) req:form{ limit = "64mb" } return 204 end)
app:post("/parts", function(req) req:multipart() return 204 end)
app:post("/disk", function(req) req:multipart{ storage = "disk" } return 204 end)
app:get("/good", function() return "good" end)
app:post("/collect", function() collectgarbage() collectgarbage() return 204 end)
return app
'''

FORM = {"content-type": "multipart/form-data; boundary=x"}
GZIP = {"content-encoding": "gzip"}


def part(head, data=b"v"):
    return b"--x\r\n" + head + b"\r\n\r\n" + data + b"\r\n"


def named(name):
    return part(f'content-disposition: form-data; name="{name}"'.encode())


def filed(i):
    return part(f'content-disposition: form-data; name="f{i}"; filename="f"'.encode(), b"y" * 100_000)


# name, path, body, headers, status, code
BOMBS = [
    ("zip_bomb", "/json", gzip.compress(b" " * (64 * MIB), 9), GZIP, 413, "entity.too.large"),
    ("zip_bomb_in_a_form", "/form", gzip.compress(b"a=" + b"b" * (48 * MIB), 9), GZIP, 413, "entity.too.large"),
    ("zip_of_empty_members", "/json", gzip.compress(b"") * 100_000, GZIP, 400, "entity.parse.failed"),
    ("deep_json", "/json", b"[" * MIB, {}, 400, "entity.parse.failed"),
    ("deep_objects", "/json", b'{"a":' * 200_000, {}, 400, "entity.parse.failed"),
    ("json_of_many_keys_that_is_broken", "/json", b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(50_000)), {}, 400, "entity.parse.failed"),
    ("form_of_a_million_names", "/form", b"&".join(b"n%d" % i for i in range(300_000)), {}, 413, "parameters.too.many"),
    ("form_of_ampersands", "/form", b"&" * (8 * MIB), {}, 204, None),
    ("ten_thousand_parts", "/parts", b"".join(named(i) for i in range(10_000)) + b"--x--", FORM, 413, "LIMIT_PART_COUNT"),
    ("ten_thousand_files", "/disk", b"".join(filed(i) for i in range(50)) + b"--x--", FORM, 413, "LIMIT_FILE_COUNT"),
    ("parts_with_long_heads", "/parts", part(b"a: " + b"b" * 8 * MIB) + b"--x--", FORM, 400, "entity.parse.failed"),
    ("parts_with_many_headers", "/parts", part(b"\r\n".join(b"h%d: 1" % i for i in range(3000))) + b"--x--", FORM, 400, "entity.parse.failed"),
    ("nearly_boundaries", "/parts", b"--x\r\n\r\n" + b"\r\n--" * (2 * MIB), FORM, 400, "entity.parse.failed"),
    ("a_form_without_an_end", "/parts", b"--x\r\n\r\n" + b"z" * (8 * MIB), FORM, 400, "entity.parse.failed"),
]


@pytest.fixture(scope="module")
def make_app(tmp_path_factory):
    processes = []

    def make():
        process = AppProcess(tmp_path_factory.mktemp("app"), APP)
        processes.append(process)
        process.write_conf(limits={"body": "10MiB", "cpu": "60s", "request_timeout": "60s"})
        process.start_ready()
        return process

    yield make
    for process in processes:
        process.kill()


@pytest.fixture(scope="module")
def app(make_app):
    return make_app()


def throw(app, row):
    name, path, body, headers, status, code = row
    answer = app.request("POST", path, body, headers)
    assert answer.status == status, (name, answer.status, answer.body)
    if code:
        assert answer.json()["code"] == code


@pytest.mark.parametrize("row", BOMBS, ids=[row[0] for row in BOMBS])
def test_a_bomb_is_refused_while_others_are_served(app, row):
    is_over, served = threading.Event(), []

    def ask():
        with app.connection() as connection:
            while not is_over.is_set() or not served:
                served.append(app.request("GET", "/good", connection=connection).body)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        throw(app, row)
    finally:
        is_over.set()
        asking.join(60)
    assert served and set(served) == {b"good"}


def memory_mib(app):
    """What the worker has of its own."""
    status = pathlib.Path(f"/proc/{app.workers()[0]['pid']}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


@pytest.mark.skipif(IS_SANITIZED, reason="the sanitizer keeps what was freed")
def test_memory_comes_back_after_bombs(make_app):
    app = make_app()
    app.request("GET", "/good")
    app.request("POST", "/collect")
    before = memory_mib(app)
    for _ in range(ROUNDS):
        for row in BOMBS:
            throw(app, row)
    app.request("POST", "/collect")
    wait_for(lambda: memory_mib(app) < before + BACK_MIB, f"the memory to come back to {before:.1f} MiB", 60)
