"""fsd.static: roots and options that are refused, and files and clients that do not keep still."""
import os
import shutil
import socket

import pytest

from app_process import AppProcess
from fsd_process import wait_for
from service import Service

MEGABYTE = 1024 * 1024

APP = """
local fsd = require "fsd"
local app = fsd.app()
app:use("/files", fsd.static("public"))
app:use("/built", fsd.static("built"))
app:use("/lua", function(req, res, next) next() end, fsd.static("public"))
app:get("/send/:name", function(req, res) res:send_file(req.params.name, { root = "public" }) end)
return app
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    process = Service(tmp_path_factory.mktemp("static"), APP)
    process.write_conf(log_format="json")
    for name in ("public", "built"):
        (process.app_path.parent / name).mkdir(parents=True)
    (process.app_path.parent / "built/old.txt").write_text("old")
    process.start_ready()
    yield process
    process.kill()


@pytest.fixture
def public(server):
    return server.app_path.parent / "public"


def make_sparse(path, size):
    with open(path, "wb") as file:
        file.truncate(size)
    return path


class Download:
    """A client that has read the head of an answer and nothing more."""

    def __init__(self, server, path):
        host, _, port = server.address().rpartition(":")
        self.peer = socket.socket()
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.peer.settimeout(60)
        self.peer.connect((host, int(port)))
        self.peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.peer.recv(4096)
        head, _, self.begun = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        self.size = int(next(line.split(b": ")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")))

    def finish(self, known):
        """Reads on to the end, or to where the connection is cut; every byte has to be known.  Returns how many came."""
        count = len(self.begun)
        assert set(self.begun) <= known
        while count < self.size:
            try:
                part = self.peer.recv(MEGABYTE)
            except ConnectionResetError:
                break
            if not part:
                break
            assert set(part) <= known
            count += len(part)
        self.peer.close()
        return count


def worker_of(server):
    return server.status()["pools"][0]["workers"][0]["pid"]


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def descriptors(pid, path):
    found = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found += os.readlink(f"/proc/{pid}/fd/{name}") == str(path)
        except FileNotFoundError:
            pass
    return found


PATHS = ["/files/{}", "/lua/{}", "/send/{}"]


@pytest.mark.parametrize("path", PATHS)
def test_a_file_that_becomes_shorter_cuts_the_connection(server, public, path):
    file = make_sparse(public / "shorter.bin", 16 * MEGABYTE)
    download = Download(server, path.format("shorter.bin"))
    os.truncate(file, MEGABYTE)
    assert download.finish({0}) < download.size


def test_a_file_that_is_written_to_cuts_the_connection(server, public):
    file = make_sparse(public / "written.bin", 16 * MEGABYTE)
    download = Download(server, "/files/written.bin")
    with open(file, "r+b") as writer:
        writer.seek(8 * MEGABYTE)
        writer.write(b"x" * 8 * MEGABYTE)
    assert download.finish({0}) < download.size


@pytest.mark.parametrize("path", PATHS)
def test_a_file_that_is_replaced_is_sent_to_its_end(server, public, path):
    make_sparse(public / "replaced.bin", 16 * MEGABYTE)
    download = Download(server, path.format("replaced.bin"))
    (public / "new.bin").write_bytes(b"new")
    os.replace(public / "new.bin", public / "replaced.bin")
    assert server.get(path.format("replaced.bin")).body == b"new"
    assert download.finish({0}) == download.size
    assert descriptors(worker_of(server), f"{public}/replaced.bin (deleted)") == 0


def test_a_file_that_is_removed_is_sent_to_its_end(server, public):
    make_sparse(public / "removed.bin", 8 * MEGABYTE)
    download = Download(server, "/files/removed.bin")
    (public / "removed.bin").unlink()
    assert server.get("/files/removed.bin").status == 404
    assert download.finish({0}) == download.size


def test_clients_that_take_nothing_cost_a_piece_each(server, public):
    file = make_sparse(public / "huge.bin", 1024 * MEGABYTE)
    pid = worker_of(server)
    server.get("/files/huge.bin", {"range": "bytes=0-200000"})
    before = resident(pid)
    stalled = [Download(server, "/files/huge.bin") for _ in range(50)]
    assert descriptors(pid, file) == 50
    assert server.get("/files/huge.bin", {"range": "bytes=-1"}).body == b"\0"
    assert resident(pid) - before < 50 * 3 * 64 * 1024 + 8 * MEGABYTE
    for download in stalled:
        download.peer.close()
    wait_for(lambda: descriptors(pid, file) == 0, "the files of clients that have gone to be closed")


def test_a_client_that_goes_away_costs_nothing(server, public):
    file = make_sparse(public / "left.bin", 16 * MEGABYTE)
    pid = worker_of(server)
    for path in PATHS:
        for _ in range(10):
            Download(server, path.format("left.bin")).peer.close()
    wait_for(lambda: descriptors(pid, file) == 0, "the file to be closed")


def test_conditions_and_errors_leave_no_descriptor(server, public):
    file = make_sparse(public / "asked.bin", 4 * MEGABYTE)
    tag = server.request("HEAD", "/files/asked.bin").headers["etag"]
    for path in PATHS:
        for headers in ({"if-none-match": tag}, {"if-match": '"x"'}, {"range": "bytes=99999999-"}, {"range": "bytes=0-9"},
                        {"range": "bytes=0-9,20-29"}):
            server.get(path.format("asked.bin"), headers)
            server.request("HEAD", path.format("asked.bin"), headers=headers)
    pid = worker_of(server)
    wait_for(lambda: descriptors(pid, file) == 0, "the file to be closed")


def test_a_folder_that_is_made_anew_is_found(server):
    built = server.app_path.parent / "built"
    assert server.get("/built/old.txt").body == b"old"
    shutil.rmtree(built)
    assert server.get("/built/old.txt").status == 404
    built.mkdir()
    (built / "new.txt").write_text("new")
    assert server.get("/built/new.txt").body == b"new"


def test_a_download_outlives_the_code_that_began_it(server, public):
    make_sparse(public / "long.bin", 16 * MEGABYTE)
    downloads = [Download(server, path.format("long.bin")) for path in PATHS]
    server.app_path.write_text(APP.replace('"/files"', '"/moved"'))
    told = server.ctl("reload")
    assert told.returncode == 0, told
    (public / "a.txt").write_text("a")
    assert server.get("/moved/a.txt").body == b"a"
    assert server.get("/files/a.txt").status == 404
    for download in downloads:
        assert download.finish({0}) == download.size


MISTAKES = [
    ('fsd.static()', "bad argument #1 to 'static' (string expected, got no value)"),
    ('fsd.static("")', "root must be the path of a folder"),
    ('fsd.static("pub\\0lic")', "root must be the path of a folder"),
    ('fsd.static("missing")', 'fsd.static: cannot open the folder "{}/missing": No such file or directory'),
    ('fsd.static("app.lua")', 'fsd.static: cannot open the folder "{}/app.lua": Not a directory'),
    ('fsd.static("public", { maxage = 1 })', 'fsd.static: unknown option "maxage"; did you mean "max_age"?'),
    ('fsd.static("public", { root = "x" })', 'fsd.static: unknown option "root"'),
    ('fsd.static("public", { "index.html" })', "fsd.static: options have names"),
    ('fsd.static("public", { index = true })', 'fsd.static: option "index" must have texts, got boolean'),
    ('fsd.static("public", { index = { 1 } })', 'fsd.static: option "index" must have texts, got number'),
    ('fsd.static("public", { index = "../x" })', 'fsd.static: option "index": "../x" is no name of a file below the folder'),
    ('fsd.static("public", { extensions = { "a/../b" } })', 'fsd.static: option "extensions": "a/../b" is no name of a file below the folder'),
    ('fsd.static("public", { spa = "/../x" })', 'fsd.static: option "spa": "../x" is no name of a file below the folder'),
    ('fsd.static("public", { spa = true })', 'fsd.static: option "spa" must be the path of a file, got boolean'),
    ('fsd.static("public", { allow = ".well-known" })', 'fsd.static: option "allow": ".well-known" does not begin with a slash'),
    ('fsd.static("public", { precompressed = { "zip" } })', 'fsd.static: option "precompressed": "zip" is none of "br", "gz" and "zst"'),
    ('fsd.static("public", { fallthrough = "no" })', 'fsd.static: option "fallthrough" must be true or false, got string'),
    ('fsd.static("public", { listing = true })', 'fsd.static: option "listing" can only be false: folders are not listed'),
    ('fsd.static("public", { dotfiles = true })', 'fsd.static: option "dotfiles" must be "ignore", "allow" or "deny"'),
    ('fsd.static("public", { max_age = {} })', 'fsd.static: option "max_age" must be a number of seconds or a time such as "1d"'),
    ('fsd.static("public", { headers = { ["x-a"] = "1\\n2" } })',
     'fsd.static: option "headers": cannot set "x-a": the value has a line break or control character'),
    ('fsd.static("public", { headers = { 1 } })', 'fsd.static: option "headers" must be a table of names and texts'),
    ('fsd.static("public", { headers = { date = "x" } })', 'fsd.static: option "headers": cannot set "date": fsd sets it itself'),
    ('fsd.static("public", { extensions = { ' + '"a", ' * 17 + '} })', 'fsd.static: option "extensions" has more than 16 texts'),
] + [(f'fsd.static("{root}")', f'fsd.static: "{root}" has the application\'s own code in it')
     for root in (".", "./", "..", "/", "public/..", "itself")]


def test_mistakes_are_told_while_the_application_loads(tmp_path):
    calls = ",\n".join(f"function() return {call} end" for call, _ in MISTAKES)
    app = AppProcess(tmp_path, f"""
local fsd = require "fsd"
local app = fsd.app()
local told = {{}}
for i, call in ipairs {{ {calls} }} do told[i] = tostring(select(2, pcall(call))) end
app:get("/", function(req, res) res:json(told) end)
return app
""")
    app.write_conf()
    code = app.app_path.parent
    (code / "public").mkdir()
    (code / "itself").symlink_to(".")
    try:
        app.start_ready()
        for (call, message), told in zip(MISTAKES, app.get("/").json(), strict=True):
            assert message.format(code) in told, call
    finally:
        app.kill()


def test_an_application_does_not_start_without_its_folder(serve_refused):
    log = serve_refused('local fsd = require "fsd"\nlocal app = fsd.app()\napp:use(fsd.static("public"))\nreturn app\n')
    assert "app.lua:3: fsd.static: cannot open the folder" in log


def test_code_among_the_files_is_warned_of(tmp_path):
    app = AppProcess(tmp_path, {"app.lua": 'local fsd = require "fsd"\nreturn fsd.app():use(fsd.static("lib"))', "lib/secret.lua": "return 1"})
    app.write_conf(log_format="json")
    try:
        app.start_ready()
        record = app.wait_record(level="warning", slot=0)
        assert record["msg"] == 'fsd.static: "lib" has code of the application in it, which anybody may read: "lib/secret.lua"'
    finally:
        app.kill()
