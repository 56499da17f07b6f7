"""fsd.static: files of a folder, sent without Lua."""
import os
import re
import socket

import pytest

from app_process import AppProcess
from service import read_answer

APP = """
local fsd = require "fsd"
local app = fsd.app()
app:use("/plain", fsd.static("public"))
app:use("/dots", fsd.static("public", { dotfiles = "allow" }))
app:use("/denied", fsd.static("public", { dotfiles = "deny", fallthrough = false }))
app:use("/known", fsd.static("public", { allow = { "/.well-known/*" } }))
app:use("/only", fsd.static("public", { fallthrough = false }))
app:use("/tried", fsd.static("public", { extensions = { "html", ".txt" }, redirect = false }))
app:use("/index", fsd.static("public", { index = { "start.htm", "index.html" } }))
app:use("/bare", fsd.static("public", { listing = false, index = false, etag = false, last_modified = false, cache_control = false, accept_ranges = false }))
app:use("/aged", fsd.static("public", { max_age = "1d", immutable = true }))
app:use("/short", fsd.static("public", { max_age = 60, hash_immutable = true, headers = { ["X-From"] = "disk", ["Cross-Origin"] = 1 } }))
app:use("/packed", fsd.static("public", { precompressed = { "br", "gz", "zst" } }))
app:use("/app", fsd.static("public", { spa = "/index.html" }))
app:use("/asked", fsd.static("public", { headers = function(res, path, stat)
  res:set("x-path", path:match("[^/]*$")):set("x-size", stat.size)
  if path:find("%.txt$") then res:set("cache-control", "no-store") end
end }))
local files = fsd.static("public")
app:use("/called", function(req, res, next) res:set("x-lua", "yes"); return files(req, res, next) end)
app:use("/behind", function(req, res, next) res:set("x-before", "1"); next(); req.seen = true end, fsd.static("public"))
app:get("/route/*path", fsd.static("public"))
local inner = fsd.router()
inner:use("/deep", fsd.static("public"))
app:use("/router", inner)
app:use(fsd.static("top"))
app:get("/plain/lua.txt", function(req, res) res:send("from lua") end)
app:use("/guarded/private", function(req, res) res:send_status(401) end)
app:use("/guarded", fsd.static("guarded"))
app:on_error(function(err, req, res, next)
  if err.code == "range_not_satisfiable" then next(err) end
  res:status(err.status or 500):set("x-code", err.code or ""):send(err.message)
end)
return app
"""

LARGE = bytes(range(256)) * 4000  # 1,024,000 bytes: pieces


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (784111777, 784111777))  # Sun, 06 Nov 1994 08:49:37 GMT


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static")
    process = AppProcess(folder, APP)
    process.write_conf(log_format="json")
    code = process.app_path.parent
    public = code / "public"
    for name, content in {
        "a.txt": b"hello", "index.html": b"<p>start", "b.html": b"<p>b", "sub/index.html": b"<p>sub", "sub/page.html": b"<p>page",
        "empty.txt": b"", "large.bin": LARGE, "name": b"no ending", "a b.txt": b"blank", "\u00fc.txt": b"umlaut", "only.txt": b"only",
        ".secret": b"SECRET-DOT", ".well-known/a.txt": b"known", ".git/config": b"SECRET-GIT", "app.3f2a9c1b.js": b"hashed",
        "c.txt": b"plain c", "c.txt.gz": b"gzip c", "c.txt.br": b"brotli c", "c.txt.zst": b"zstd c", "d.txt": b"plain d",
        "d.txt.gz": b"gzip d", "100%.txt": b"percent", "a+b.txt": b"plus",
    }.items():
        write(public / name, content)
    write(code / "top/top.txt", b"top")
    write(code / "guarded/open.txt", b"open")
    write(code / "guarded/private/x.txt", b"SECRET-PRIVATE")
    write(folder / "outside.txt", b"SECRET-OUTSIDE")
    write(folder / "outside/x.txt", b"SECRET-OUTSIDE")
    (public / "hidden").mkdir()
    (public / "noindex").mkdir()
    (public / "link.txt").symlink_to("a.txt")
    (public / "out.txt").symlink_to("../../outside.txt")
    (public / "abs.txt").symlink_to(folder / "outside.txt")
    (public / "outdir").symlink_to("../../outside")
    (public / "loop").symlink_to("loop")
    (public / "appcode").symlink_to("../app.lua")
    (public / "proc").symlink_to("/proc/self/environ")
    os.mkfifo(public / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(public)
    listener.bind("socket")
    os.chdir(here)
    process.start_ready()
    yield process
    listener.close()
    process.kill()


def test_a_file_is_sent_with_what_is_known_of_it(server):
    answer = server.get("/plain/a.txt")
    assert (answer.status, answer.body) == (200, b"hello")
    expected = {"content-type": "text/plain; charset=utf-8", "content-length": "5", "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT",
                "cache-control": "public, max-age=0", "accept-ranges": "bytes"}
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert re.fullmatch(r'W/"5-[0-9a-f]+"', answer.headers["etag"])


# name, path, status, headers (None: not there), body (None: any)
ROWS = [
    ("empty", "/plain/empty.txt", 200, {"content-length": "0"}, b""),
    ("large", "/plain/large.bin", 200, {"content-length": str(len(LARGE)), "content-type": "application/octet-stream"}, LARGE),
    ("without_an_ending", "/plain/name", 200, {"content-type": "application/octet-stream"}, b"no ending"),
    ("with_a_blank", "/plain/a%20b.txt", 200, {}, b"blank"),
    ("beyond_ascii", "/plain/%C3%BC.txt", 200, {}, b"umlaut"),
    ("with_a_percent", "/plain/100%25.txt", 200, {}, b"percent"),
    ("a_plus_is_a_plus", "/plain/a+b.txt", 200, {}, b"plus"),
    ("a_query_is_no_name", "/plain/a.txt?x=/../y", 200, {}, b"hello"),
    ("index", "/plain/", 200, {"content-type": "text/html; charset=utf-8"}, b"<p>start"),
    ("index_of_a_folder", "/plain/sub/", 200, {}, b"<p>sub"),
    ("page_in_a_folder", "/plain/sub/page.html", 200, {}, b"<p>page"),
    ("mount_without_slash", "/plain", 301, {"location": "/plain/"}, None),
    ("folder_without_slash", "/plain/sub", 301, {"location": "/plain/sub/", "content-type": "text/html; charset=utf-8",
                                                 "content-security-policy": "default-src 'none'", "cache-control": None}, None),
    ("folder_without_slash_keeps_the_query", "/plain/sub?a=1&b=2", 301, {"location": "/plain/sub/?a=1&b=2"}, None),
    ("folder_without_an_index", "/plain/noindex/", 404, {}, None),
    ("folder_named_as_no_file", "/plain/a.txt/", 404, {}, None),
    ("missing", "/plain/missing.txt", 404, {}, None),
    ("below_a_file", "/plain/a.txt/b", 404, {}, None),
    ("a_link_within", "/plain/link.txt", 200, {}, b"hello"),
    ("a_dotfile", "/plain/.secret", 404, {}, None),
    ("a_file_in_a_dot_folder", "/plain/.git/config", 404, {}, None),
    ("a_dotfile_where_allowed", "/dots/.secret", 200, {}, b"SECRET-DOT"),
    ("a_dotfile_where_denied", "/denied/.secret", 403, {"x-code": "forbidden"}, None),
    ("a_path_that_is_listed", "/known/.well-known/a.txt", 200, {}, b"known"),
    ("a_path_that_is_not_listed", "/known/.secret", 404, {}, None),
    ("a_name_too_long", "/plain/" + "a" * 300, 404, {}, None),
    ("a_path_too_long", "/plain/" + "a/" * 1500, 404, {}, None),
    ("missing_without_fallthrough", "/only/missing.txt", 404, {"x-code": "not_found"}, b"there is no such file"),
    ("a_bad_escape_without_fallthrough", "/only/%zz", 400, {"x-code": "bad_path"}, None),
    ("a_nul_without_fallthrough", "/only/a.txt%00.html", 400, {"x-code": "bad_path"}, None),
    ("upwards_without_fallthrough", "/only/../x", 403, {"x-code": "forbidden"}, None),
    ("a_folder_without_fallthrough", "/only/noindex/", 404, {"x-code": "not_found"}, None),
    ("an_extension", "/tried/b", 200, {"content-type": "text/html; charset=utf-8"}, b"<p>b"),
    ("another_extension", "/tried/only", 200, {}, b"only"),
    ("a_name_with_an_ending_gets_no_other", "/tried/only.tx", 404, {}, None),
    ("no_redirect", "/tried/sub", 404, {}, None),
    ("several_index_files", "/index/sub/", 200, {}, b"<p>sub"),
    ("no_index", "/bare/", 404, {}, None),
    ("nothing_but_the_file", "/bare/a.txt", 200, {"etag": None, "last-modified": None, "cache-control": None, "accept-ranges": None},
     b"hello"),
    ("max_age", "/aged/a.txt", 200, {"cache-control": "public, max-age=86400, immutable"}, b"hello"),
    ("own_headers", "/short/a.txt", 200, {"cache-control": "public, max-age=60", "x-from": "disk", "cross-origin": "1"}, b"hello"),
    ("a_hash_in_the_name", "/short/app.3f2a9c1b.js", 200, {"cache-control": "public, max-age=31536000, immutable"}, b"hashed"),
    ("not_compressed", "/packed/c.txt", 200, {"content-encoding": None, "vary": "accept-encoding"}, b"plain c"),
    ("a_function_for_headers", "/asked/a.txt", 200, {"x-path": "a.txt", "x-size": "5", "cache-control": "no-store"}, b"hello"),
    ("a_function_for_an_index", "/asked/sub/", 200, {"x-path": "index.html", "cache-control": "public, max-age=0"}, b"<p>sub"),
    ("a_function_is_not_called_for_a_folder", "/asked/sub", 301, {"x-path": None, "location": "/asked/sub/"}, None),
    ("a_function_is_not_called_for_nothing", "/asked/no", 404, {"x-path": None}, None),
    ("called_by_a_handler", "/called/a.txt", 200, {"x-lua": "yes"}, b"hello"),
    ("called_by_a_handler_passes", "/called/no", 404, {}, None),
    ("behind_a_middleware", "/behind/a.txt", 200, {"x-before": "1"}, b"hello"),
    ("large_behind_a_middleware", "/behind/large.bin", 200, {"x-before": "1"}, LARGE),
    ("passes_behind_a_middleware", "/behind/no", 404, {}, None),
    ("of_a_route", "/route/route/a.txt", 404, {}, None),
    ("in_a_router", "/router/deep/a.txt", 200, {}, b"hello"),
    ("in_a_router_redirects", "/router/deep/sub", 301, {"location": "/router/deep/sub/"}, None),
    ("on_top", "/top.txt", 200, {}, b"top"),
    ("what_passes_is_the_next_handlers", "/plain/lua.txt", 200, {}, b"from lua"),
    ("a_fifo", "/plain/fifo", 404, {}, None),
    ("a_socket", "/plain/socket", 404, {}, None),
    ("a_link_outside", "/plain/out.txt", 404, {}, None),
    ("an_absolute_link_outside", "/plain/abs.txt", 404, {}, None),
    ("a_folder_outside", "/plain/outdir/x.txt", 404, {}, None),
    ("a_loop", "/plain/loop", 404, {}, None),
    ("a_link_to_the_code", "/plain/appcode", 404, {}, None),
    ("a_link_to_proc", "/plain/proc", 404, {}, None),
]


@pytest.mark.parametrize("path, status, headers, body", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_row(server, path, status, headers, body):
    answer = server.get(path)
    assert answer.status == status, answer.body
    for name, value in headers.items():
        assert answer.headers.get(name) == value, name
    if body is not None:
        assert answer.body == body
    again = server.request("HEAD", path)
    assert (again.status, again.body) == (status, b"")
    for name in ("content-length", "content-type", "etag"):
        assert again.headers.get(name) == answer.headers.get(name)


@pytest.mark.parametrize("accepted, encoding, body", [
    ("gzip, deflate, br, zstd", "br", b"brotli c"), ("gzip", "gzip", b"gzip c"), ("zstd", "zstd", b"zstd c"), ("GZIP", "gzip", b"gzip c"),
    ("br;q=0.5, gzip", "gzip", b"gzip c"), ("br;q=0, *", "gzip", b"gzip c"), ("*;q=0", None, b"plain c"), ("deflate", None, b"plain c"),
    ("gzip;q=0.5, identity", None, b"plain c"), ("", None, b"plain c"), ("*", "br", b"brotli c"),
])
def test_the_compressed_form_that_the_client_likes_best_is_sent(server, accepted, encoding, body):
    answer = server.get("/packed/c.txt", {"accept-encoding": accepted})
    assert (answer.headers.get("content-encoding"), answer.body) == (encoding, body)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["vary"] == "accept-encoding"


def test_a_form_that_is_not_there_gives_way_to_the_next(server):
    answer = server.get("/packed/d.txt", {"accept-encoding": "br, gzip"})
    assert (answer.headers["content-encoding"], answer.body) == ("gzip", b"gzip d")
    plain = server.get("/packed/a.txt", {"accept-encoding": "br, gzip"})
    assert (plain.headers.get("content-encoding"), plain.body) == (None, b"hello")


@pytest.mark.parametrize("path, accept, status", [
    ("/app/users/7", "text/html,*/*", 200), ("/app/users/7", "*/*", 404), ("/app/users/7", None, 404), ("/app/missing.js", "text/html", 404),
    ("/app/sub/", "text/html", 200),
])
def test_pages_of_an_application_in_the_browser_get_its_start_page(server, path, accept, status):
    answer = server.get(path, {"accept": accept})
    assert answer.status == status
    if status == 200:
        assert answer.body == (b"<p>sub" if path == "/app/sub/" else b"<p>start")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_the_next_handlers(server, method):
    assert server.request(method, "/plain/a.txt").status == 404
    refused = server.request(method, "/only/a.txt")
    assert (refused.status, refused.headers["x-code"]) == (405, "method_not_allowed")


def test_conditions(server):
    known = server.get("/plain/a.txt").headers
    tag, date = known["etag"], known["last-modified"]
    rows = [
        ({"if-none-match": tag}, 304), ({"if-none-match": "*"}, 304), ({"if-none-match": f'"x", {tag}'}, 304), ({"if-none-match": '"x"'}, 200),
        ({"if-none-match": tag, "cache-control": "no-cache"}, 200), ({"if-modified-since": date}, 304),
        ({"if-modified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, 200), ({"if-none-match": '"x"', "if-modified-since": date}, 200),
        ({"if-match": "*"}, 200), ({"if-match": '"x"'}, 412), ({"if-unmodified-since": date}, 200),
        ({"if-unmodified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, 412), ({"if-modified-since": "yesterday"}, 200),
    ]
    for headers, status in rows:
        for path in ("/plain/a.txt", "/behind/a.txt", "/asked/b.html"):
            if path == "/asked/b.html" and tag in headers.get("if-none-match", ""):
                continue
            answer = server.get(path, headers)
            assert answer.status == status, (path, headers)
            if status == 304:
                assert answer.body == b""
                assert "content-type" not in answer.headers and "content-length" not in answer.headers
                assert answer.headers["cache-control"] == "public, max-age=0"
                assert "etag" in answer.headers
    assert server.get("/plain/a.txt", [("if-none-match", '"x"'), ("if-none-match", tag)]).status == 304


@pytest.mark.parametrize("path", ["/plain/large.bin", "/behind/large.bin"])
@pytest.mark.parametrize("wanted, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=-5", len(LARGE) - 5, len(LARGE) - 1), ("bytes=1000000-", 1000000, len(LARGE) - 1),
    ("bytes=1-900000", 1, 900000), ("bytes=0-99999999999999999999", 0, len(LARGE) - 1), ("bytes=0-9,10-19", 0, 19),
])
def test_a_part(server, path, wanted, first, last):
    answer = server.get(path, {"range": wanted})
    assert answer.status == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(LARGE)}"
    assert answer.body == LARGE[first:last + 1]


@pytest.mark.parametrize("values, status", [
    (["bytes=0-1", "bytes=2-3"], 200), (["bytes=2-3", "bytes=0-1"], 200), (["bytes=0-1", "x"], 200), (["x", "bytes=0-1"], 200),
    (["bytes=0-1", "2-3"], 206)])
def test_several_range_headers_are_one_as_in_node(server, values, status):
    answer = server.get("/plain/a.txt", [("range", value) for value in values])
    assert (answer.status, answer.body) == (status, b"hello" if status == 200 else b"hell")


@pytest.mark.parametrize("wanted", ["bytes", "items=0-1", "bytes=x-y", "bytes=0-1,x", "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 40, 2)), ""])
def test_ranges_that_are_not_understood_are_as_if_not_there(server, wanted):
    answer = server.get("/plain/a.txt", {"range": wanted})
    assert (answer.status, answer.body) == (200, b"hello")
    assert "content-range" not in answer.headers


def test_a_part_that_is_not_there(server):
    for path in ("/plain/a.txt", "/only/a.txt", "/behind/a.txt"):
        answer = server.get(path, {"range": "bytes=5-"})
        assert (answer.status, answer.headers["content-range"]) == (416, "bytes */5")
        assert "etag" not in answer.headers
    assert server.get("/plain/empty.txt", {"range": "bytes=0-0"}).status == 416


def parts_of(answer):
    """The parts of multipart/byteranges: (content type, content range, bytes)."""
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    pieces = answer.body.split(b"\r\n--" + boundary.encode())
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n"
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        yield fields["content-type"], fields["content-range"], content


def test_several_parts(server):
    answer = server.get("/plain/large.bin", {"range": "bytes=5-9, 100000-300000, -3"})
    assert answer.status == 206
    assert "content-range" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.body)
    size = len(LARGE)
    assert list(parts_of(answer)) == [
        ("application/octet-stream", f"bytes 5-9/{size}", LARGE[5:10]),
        ("application/octet-stream", f"bytes 100000-300000/{size}", LARGE[100000:300001]),
        ("application/octet-stream", f"bytes {size - 3}-{size - 1}/{size}", LARGE[-3:]),
    ]
    small = server.get("/plain/a.txt", {"range": "bytes=0-0,2-2,4-4"})
    assert [part[2] for part in parts_of(small)] == [b"h", b"l", b"o"]
    sixteen = server.get("/plain/large.bin", {"range": "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 32, 2))})
    assert len(list(parts_of(sixteen))) == 16


def test_a_part_only_of_what_the_client_has(server):
    known = server.get("/plain/a.txt").headers
    for value, status in ((known["last-modified"], 206), ("Sun, 06 Nov 1994 08:49:36 GMT", 200), (known["etag"], 200), ('"x"', 200)):
        assert server.get("/plain/a.txt", {"range": "bytes=0-1", "if-range": value}).status == status
    whole = server.request("HEAD", "/plain/a.txt", headers={"range": "bytes=0-1"})
    assert (whole.status, whole.headers["content-length"]) == (200, "5")


def test_a_redirect_never_leads_to_another_host(server):
    host, _, port = server.address().rpartition(":")
    for path in ("//plain/sub", "/\\plain/sub", "///plain/sub", "//evil.example/plain/sub", "http://evil.example/plain/sub",
                 "//evil.example/%2e%2e/plain/sub", "/plain//evil.example", "/plain/\\evil.example", "/plain/sub/..//evil.example/.."):
        with socket.create_connection((host, int(port)), timeout=30) as peer:
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            status, headers, _, _ = read_answer(peer)
        location = headers.get("location")
        assert location is None or re.match(r"/[^/\\]", location), (path, status, location)


def test_pipelined_requests_are_answered_in_order(server):
    host, _, port = server.address().rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as peer:
        for path in ("a.txt", "large.bin", "missing", "c.txt"):
            peer.sendall(f"GET /plain/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        seen = []
        for _ in range(4):
            status, _, body, data = read_answer(peer, data)
            seen.append((status, body if status == 200 else None))
        assert seen == [(200, b"hello"), (200, LARGE), (404, None), (200, b"plain c")]


# What must never lead to a file outside, to a dotfile, or past a handler that guards a part of the tree.
ESCAPES = [
    "/plain/../outside.txt", "/plain/../../outside.txt", "/plain/..%2foutside.txt", "/plain/..%2Foutside.txt", "/plain/%2e%2e/outside.txt",
    "/plain/%2E%2E/outside.txt", "/plain/.%2e/outside.txt", "/plain/%2e./outside.txt", "/plain/%2e%2e%2foutside.txt",
    "/plain/%2e%2e%2f%2e%2e%2foutside.txt", "/plain/..%5coutside.txt", "/plain/..\\outside.txt", "/plain/%2e%2e%5coutside.txt",
    "/plain/..%255coutside.txt", "/plain/..%252foutside.txt", "/plain/%252e%252e%252foutside.txt", "/plain/%252e%252e/outside.txt",
    "/plain/..%c0%afoutside.txt", "/plain/..%c1%9coutside.txt", "/plain/%c0%ae%c0%ae/outside.txt", "/plain/%c0%ae%c0%ae%c0%afoutside.txt",
    "/plain/..%e0%80%afoutside.txt", "/plain/%uff0e%uff0e/outside.txt", "/plain/%u002e%u002e/outside.txt", "/plain/..%u2215outside.txt",
    "/plain/....//outside.txt", "/plain/....%5c%5coutside.txt", "/plain/..//outside.txt", "/plain/..///outside.txt",
    "/plain/./../outside.txt", "/plain/sub/../../outside.txt", "/plain/sub/../../../outside.txt", "/plain/sub/%2e%2e/%2e%2e/outside.txt",
    "/plain/sub/..%2f..%2foutside.txt", "/plain//../outside.txt", "/plain/%2foutside.txt", "/plain//etc/passwd", "/plain/%2fetc%2fpasswd",
    "/plain///etc/passwd", "/plain/file:///etc/passwd", "/plain/..;/outside.txt", "/plain/..%3b/outside.txt", "/plain/..%00/outside.txt",
    "/plain/..%0d/outside.txt", "/plain/..%0a/outside.txt", "/plain/..%09/outside.txt", "/plain/..%20/outside.txt",
    "/plain/a.txt%00", "/plain/a.txt%00.html", "/plain/%00/../outside.txt", "/plain/..%ff/outside.txt", "/plain/..?/outside.txt",
    "/plain/..#/outside.txt", "/plain/.%00./outside.txt", "/plain/out.txt", "/plain/outdir/x.txt", "/plain/abs.txt",
    "/plain/outdir/../outdir/x.txt", "/plain/appcode", "/plain/../app.lua", "/plain/%2e%2e/app.lua", "/plain/..%2fapp.lua",
    "/plain/%2esecret", "/plain/%2Egit/config", "/plain/sub/%2e%2e/.secret", "/plain/./.secret", "/plain//.secret", "/plain/.secret%00",
    "/plain/.git%2fconfig", "/plain/.git\\config", "/plain/proc", "/%2e%2e/outside.txt", "/../outside.txt", "/..%2f..%2foutside.txt",
    "/guarded/private/x.txt", "/guarded//private/x.txt", "/guarded/./private/x.txt", "/guarded/%70rivate/x.txt", "/guarded/privat%65/x.txt",
    "/guarded/private%2fx.txt", "/guarded/private%2Fx.txt", "/guarded/private\\x.txt", "/guarded/private%5cx.txt",
    "/guarded/x/../private/x.txt", "/guarded/x/%2e%2e/private/x.txt", "/guarded/PRIVATE/x.txt", "/guarded/private//x.txt",
    "/guarded/%2fprivate/x.txt", "/%67uarded/private/x.txt", "//guarded/private/x.txt", "/guarded/;/private/x.txt",
]


@pytest.mark.parametrize("path", ESCAPES)
def test_no_spelling_leads_outside(server, path):
    host, _, port = server.address().rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as peer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1"))
        status, _, body, _ = read_answer(peer)
    assert status >= 400, (status, body)
    assert b"SECRET" not in body and b"root:" not in body and b"require" not in body


def test_what_stands_beside_what_must_not_be_reached_is_served(server):
    assert server.get("/guarded/open.txt").body == b"open"
    assert server.get("/guarded/private/x.txt").status == 401
