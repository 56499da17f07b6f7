"""res:send_file and res:download."""
import os

import pytest

from app_process import AppProcess
from fsd_process import wait_for
from handler_rows import app_of, names

LARGE = bytes(range(256)) * 2000
LINES = "".join(f"line {i}\n" for i in range(10)).encode()

# name, handler, status, headers (None: not there), body (None: any); BASE is the application's folder
ANSWERS = [
    ("an_absolute_path", 'res:send_file(BASE .. "/files/a.txt")', 200,
     {"content-type": "text/plain; charset=utf-8", "content-length": "5", "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT",
      "cache-control": "public, max-age=0", "accept-ranges": "bytes", "content-disposition": None}, b"hello"),
    ("a_path_below_a_root", 'res:send_file("a.txt", { root = BASE .. "/files" })', 200, {}, b"hello"),
    ("a_root_in_the_applications_folder", 'res:send_file("sub/b.html", { root = "files" })', 200,
     {"content-type": "text/html; charset=utf-8"}, b"<p>b"),
    ("a_slash_in_front", 'res:send_file("/a.txt", { root = "files" })', 200, {}, b"hello"),
    ("a_path_is_no_url", 'res:send_file("a%20b.txt", { root = "files" })', 200, {}, b"percent"),
    ("a_blank_in_the_name", 'res:send_file("a b.txt", { root = "files" })', 200, {}, b"blank"),
    ("a_large_one", 'res:send_file(BASE .. "/files/large.bin")', 200, {"content-length": str(len(LARGE))}, LARGE),
    ("an_empty_one", 'res:send_file(BASE .. "/files/empty")', 200, {"content-length": "0"}, b""),
    ("what_is_set_stays", 'res:type("text/x"):set{ ["cache-control"] = "no-store", etag = \'"mine"\', ["last-modified"] = "x" }'
     ':send_file("a.txt", { root = "files" })', 200,
     {"content-type": "text/x; charset=utf-8", "cache-control": "no-store", "etag": '"mine"', "last-modified": "x"}, b"hello"),
    ("a_status_stays", 'res:status(404):send_file("a.txt", { root = "files" })', 404, {}, b"hello"),
    ("max_age", 'res:send_file("a.txt", { root = "files", max_age = 3600, immutable = true })', 200,
     {"cache-control": "public, max-age=3600, immutable"}, b"hello"),
    ("max_age_as_text", 'res:send_file("a.txt", { root = "files", max_age = "2h" })', 200, {"cache-control": "public, max-age=7200"}, b"hello"),
    ("nothing_else", 'res:send_file("a.txt", { root = "files", cache_control = false, etag = false, last_modified = false, accept_ranges = false })',
     200, {"cache-control": None, "etag": None, "last-modified": None, "accept-ranges": None}, b"hello"),
    ("headers", 'res:set("x-a", "0"):send_file("a.txt", { root = "files", headers = { ["X-A"] = "1", ["x-b"] = 2 } })', 200,
     {"x-a": "1", "x-b": "2"}, b"hello"),
    ("from_a_byte_on", 'res:send_file("lines.txt", { root = "files", first = 7 })', 200, {"content-length": "63"}, LINES[7:]),
    ("to_a_byte", 'res:send_file("lines.txt", { root = "files", last = 6 })', 200, {}, b"line 0\n"),
    ("from_byte_to_byte", 'res:send_file("lines.txt", { root = "files", first = 7, last = 13 })', 200, {}, b"line 1\n"),
    ("from_behind_the_end", 'res:send_file("lines.txt", { root = "files", first = 100 })', 200, {"content-length": "0"}, b""),
    ("a_dotfile", 'res:send_file(".env", { root = "files" })', 404, {}, None),
    ("a_dotfile_denied", 'res:send_file(".env", { root = "files", dotfiles = "deny" })', 403, {}, None),
    ("a_dotfile_allowed", 'res:send_file(".env", { root = "files", dotfiles = "allow" })', 200, {}, b"SECRET"),
    ("an_absolute_dotfile", 'res:send_file(BASE .. "/files/.env")', 404, {}, None),
    ("an_absolute_dotfile_allowed", 'res:send_file(BASE .. "/files/.env", { dotfiles = "allow" })', 200, {}, b"SECRET"),
    ("missing", 'res:send_file("no.txt", { root = "files" })', 404, {"etag": None, "content-type": "application/json; charset=utf-8"},
     b'{"error":"there is no such file"}'),
    ("missing_absolutely", 'res:send_file(BASE .. "/no.txt")', 404, {}, b'{"error":"there is no such file"}'),
    ("a_missing_root", 'res:send_file("a.txt", { root = "nowhere" })', 404, {}, None),
    ("a_folder", 'res:send_file("sub", { root = "files" })', 404, {}, None),
    ("a_folder_with_a_slash", 'res:send_file("sub/", { root = "files" })', 404, {}, None),
    ("an_absolute_folder", 'res:send_file(BASE .. "/files")', 404, {}, None),
    ("a_fifo", 'res:send_file("fifo", { root = "files" })', 404, {}, None),
    ("a_device", 'res:send_file("/dev/zero")', 404, {}, None),
    ("upwards", 'res:send_file("../app.lua", { root = "files" })', 403, {}, b'{"error":"the path may not be sent"}'),
    ("upwards_within", 'res:send_file("sub/../a.txt", { root = "files" })', 403, {}, None),
    ("upwards_absolutely", 'res:send_file(BASE .. "/files/../app.lua")', 403, {}, None),
    ("a_backslash", r'res:send_file("sub\\b.html", { root = "files" })', 403, {}, None),
    ("a_nul", r'res:send_file("a.txt\0.html", { root = "files" })', 400, {}, None),
    ("an_absolute_nul", r'res:send_file(BASE .. "/files/a.txt\0.html")', 400, {}, None),
    ("a_link_outside", 'res:send_file("out.txt", { root = "files" })', 404, {}, None),
    ("an_absolute_link", 'res:send_file(BASE .. "/files/out.txt")', 200, {}, b"outside"),
    ("an_error_can_be_caught", 'local ok, err = pcall(res.send_file, res, "no.txt", { root = "files", headers = { ["x-a"] = "1" } }); '
     'res:json{ ok, err.code, err.status, err.path }', 200, {"x-a": None, "last-modified": None}, b'[false,"not_found",404,"no.txt"]'),
    ("send_file_returns_nothing", 'assert(select("#", res:send_file("a.txt", { root = "files" })) == 0)', 200, {}, b"hello"),
    ("headers_are_sent_then", 'res:send_file("a.txt", { root = "files" }); assert(res.headers_sent)', 200, {}, b"hello"),
    ("a_wait_behind_it", 'res:send_file("large.bin", { root = "files" }); require "fsd.task".sleep(0.001)', 200, {}, LARGE),
    ("a_wait_before_it", 'require "fsd.task".sleep(0.001); res:send_file("large.bin", { root = "files" })', 200, {}, LARGE),
    ("download", 'res:download(BASE .. "/files/a.txt")', 200,
     {"content-disposition": 'attachment; filename=a.txt', "content-type": "text/plain; charset=utf-8"}, b"hello"),
    ("download_under_a_name", 'res:download(BASE .. "/files/a.txt", "report \\"1\\".pdf")', 200,
     {"content-disposition": 'attachment; filename="report \\"1\\".pdf"', "content-type": "text/plain; charset=utf-8"}, b"hello"),
    ("download_with_options", 'res:download("sub/b.html", { root = "files", max_age = 1 })', 200,
     {"content-disposition": 'attachment; filename=b.html', "cache-control": "public, max-age=1"}, b"<p>b"),
    ("download_under_a_name_with_options", 'res:download("sub/b.html", "x.html", { root = "files" })', 200,
     {"content-disposition": 'attachment; filename=x.html'}, b"<p>b"),
    ("download_under_a_name_beyond_ascii", 'res:download("a.txt", "\u20ac.txt", { root = "files" })', 200,
     {"content-disposition": "attachment; filename=\"?.txt\"; filename*=UTF-8''%E2%82%AC.txt"}, b"hello"),
    ("download_under_the_last_part_of_a_name", 'res:download("a.txt", "../../x.txt", { root = "files" })', 200,
     {"content-disposition": 'attachment; filename=x.txt'}, b"hello"),
    ("download_of_nothing", 'res:download("no.txt", { root = "files" })', 404, {"content-disposition": None}, None),
]

# name, handler, a part of the message in the log
MISTAKES = [
    ("no_root", 'res:send_file("a.txt")', "path must be absolute, or below the option root"),
    ("no_path", "res:send_file()", "string expected, got no value"),
    ("no_table", 'res:send_file("/a", 1)', "res:send_file: options must be a table, got number"),
    ("an_unknown_option", 'res:send_file("/a", { maxage = 1 })', 'res:send_file: unknown option "maxage"; did you mean "max_age"?'),
    ("an_option_of_folders", 'res:send_file("/a", { fallthrough = true })', 'res:send_file: unknown option "fallthrough"'),
    ("a_root_that_is_no_text", 'res:send_file("a", { root = 1 })', 'option "root" must be the path of a folder, got number'),
    ("a_first_byte_below_zero", 'res:send_file("/a", { first = -1 })', 'option "first" must be the number of a byte, from 0 on'),
    ("a_last_byte_with_a_fraction", 'res:send_file("/a", { last = 1.5 })', 'option "last" must be the number of a byte, from 0 on'),
    ("a_flag_that_is_none", 'res:send_file("/a", { etag = 1 })', 'option "etag" must be true or false, got number'),
    ("no_kind_of_dotfiles", 'res:send_file("/a", { dotfiles = "yes" })', 'must be "ignore", "allow" or "deny"'),
    ("no_age", 'res:send_file("/a", { max_age = "long" })', 'must be a number of seconds or a time such as "1d"'),
    ("an_age_below_zero", 'res:send_file("/a", { max_age = -1 })', 'must be a number of seconds or a time such as "1d"'),
    ("headers_that_are_none", 'res:send_file("/a", { headers = 1 })', 'res:send_file: option "headers" must be a table, got number'),
    ("a_header_with_a_line_break", 'res:send_file("a.txt", { root = "files", headers = { ["x-a"] = "1\\r\\nx-b: 2" } })',
     "the value has a line break or control character"),
    ("a_header_of_ours", 'res:send_file("a.txt", { root = "files", headers = { ["content-length"] = "1" } })', "fsd sets it itself"),
    ("twice", 'res:send_file("a.txt", { root = "files" }); res:send_file("a.txt", { root = "files" })', "the answer was given already"),
    ("behind_an_answer", 'res:send("x"); res:send_file("a.txt", { root = "files" })', "the answer was given already"),
    ("a_download_of_a_flag", 'res:download("/a", true)', "string expected, got boolean"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("send")
    process = AppProcess(folder, "")
    code = process.app_path.parent
    process.write_app(app_of(ANSWERS + MISTAKES, f'local BASE = "{code}"'))
    process.write_conf(log_format="json")
    for name, content in {"a.txt": b"hello", "sub/b.html": b"<p>b", "a%20b.txt": b"percent", "a b.txt": b"blank", "large.bin": LARGE,
                          "empty": b"", "lines.txt": LINES, ".env": b"SECRET"}.items():
        path = code / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (784111777, 784111777))
    (folder / "outside.txt").write_text("outside")
    (code / "files/out.txt").symlink_to("../../outside.txt")
    os.mkfifo(code / "files/fifo")
    process.start_ready()
    yield process
    process.kill()


@pytest.mark.parametrize("row", ANSWERS, ids=names(ANSWERS))
def test_answer(server, row):
    name, _, status, headers, body = row
    answer = server.get(f"/{name}")
    assert answer.status == status, answer.body
    for header, value in headers.items():
        assert answer.headers.get(header) == value, header
    if body is not None:
        assert answer.body == body


@pytest.mark.parametrize("row", MISTAKES, ids=names(MISTAKES))
def test_mistake(server, row):
    name, _, message = row
    server.get(f"/{name}")
    wait_for(lambda: any(message in record.get("msg", "") and record.get("path") == f"/{name}" for record in server.records()),
             f"an error with {message!r}")


def test_conditions_and_parts(server):
    known = server.get("/an_absolute_path").headers
    assert server.get("/an_absolute_path", {"if-none-match": known["etag"]}).status == 304
    assert server.request("POST", "/an_absolute_path", headers={"if-none-match": known["etag"]}).status == 200
    part = server.get("/an_absolute_path", {"range": "bytes=1-2"})
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"el", "bytes 1-2/5")
    assert server.get("/a_status_stays", {"range": "bytes=1-2"}).status == 404
    assert server.get("/nothing_else", {"range": "bytes=1-2"}).status == 200
    gone = server.get("/an_absolute_path", {"range": "bytes=9-"})
    assert (gone.status, gone.headers["content-range"]) == (416, "bytes */5")
    assert server.get("/what_is_set_stays", {"if-none-match": '"mine"'}).status == 304


def test_a_part_of_a_part(server):
    answer = server.get("/from_byte_to_byte", {"range": "bytes=5-100"})
    assert (answer.status, answer.body, answer.headers["content-range"]) == (206, b"1\n", "bytes 5-6/7")


def test_head(server):
    for path in ("/a_large_one", "/a_wait_before_it"):
        answer = server.request("HEAD", path)
        assert (answer.status, answer.headers["content-length"], answer.body) == (200, str(len(LARGE)), b"")
