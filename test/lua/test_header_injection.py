"""Nothing that an application passes on can become a header, or an answer, of its own: more than 500 nasty texts through everything
that reaches the head, and each byte on the wire looked at."""
import itertools
import re
import socket

import pytest


def nasty_texts():
    """As bytes: controls at each place, what decoders might turn into controls, what browsers and proxies might read as a line's end."""
    texts = [b"", b" ", b"\t", b"a" * 300, b"a" * 70000, b"\r\n" * 5000, b"\xff" * 1000, b"%0d%0a" * 1000]
    for byte in [*range(0x20), 0x7f]:
        texts += [bytes([byte]), b"a" + bytes([byte]), bytes([byte]) + b"a", b"a" + bytes([byte]) + b"x-in: 1"]
    breaks = [b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n", b"\0", b"\0\r\n", b"\x0b", b"\x0c", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9",
              b"\xe5\x98\x8d\xe5\x98\x8a", b"\xc4\x8d\xc4\x8a", b"\xe5\xa6\x9c\xe0\xa8\x8d", b"\xef\xbc\x8d\xef\xbc\x8a",
              b"%0d%0a", b"%0D%0A", b"%0a", b"%0d", b"%00", b"%250d%250a", b"%u000d%u000a", b"%E5%98%8D%E5%98%8A", b"\\r\\n", b"\\n",
              b"&#13;&#10;", b"\r\n ", b"\r\n\t", b"\n ", b"=?utf-8?q?=0D=0A?=", b"\xc0\x8d\xc0\x8a", b"\xe0\x80\x8d", b"\x1b[2J", b"\x08"]
    tails = [b"", b"x-in: 1", b"Set-Cookie: in=1", b"Content-Length: 0", b"Location: //in.example", b"Transfer-Encoding: chunked",
             b"\r\n<script>in()</script>", b"HTTP/1.1 200 OK\r\nx-in: 1\r\n\r\nin", b'"; filename="in', b"; domain=in.example; path=/"]
    texts += [head + end + tail for head in (b"v", b"") for end, tail in itertools.product(breaks, tails)]
    texts += [b'"', b'\\"', b"a\"; b=\"c", b"a;b", b"a,b", b"a=b", b"<>", b"</a>; rel=next", b"*", b"a b", b":", b": x", b"x:", b"x-in: 1", b"\xc3\xa4",
              b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"javascript:alert(1)", b"//in.example", b"/\\in.example", b"{{7*7}}", b"${x}", b"../../in",
              b"text/html; charset=x\r\n", b"a/b", b"chunked", b"close", b"keep-alive, x-in", b"a" * 8190 + b"\r\nx-in: 1"]
    return list(dict.fromkeys(texts))


TEXTS = nasty_texts()

# name, the call with s, the header that it is about, a regular expression for its values
SETTERS = [
    ("set", 'res:set("x-a", s):send("body")', "x-a", None),
    ("set_table", 'res:set{ ["x-a"] = s }:send("body")', "x-a", None),
    ("set_list", 'res:set("x-a", { "1", s }):send("body")', "x-a", None),
    ("set_object", 'res:set("x-a", setmetatable({}, { __tostring = function() return s end })):send("body")', "x-a", None),
    ("header", 'res:header("x-a", s):send("body")', "x-a", None),
    ("append", 'res:append("x-a", "1"):append("x-a", s):send("body")', "x-a", None),
    ("set_name", 'res:set("x-a" .. s, "1"):send("body")', None, None),
    ("append_name", 'res:append("x-a" .. s, "1"):send("body")', None, None),
    ("unset_name", 'res:unset(s):send("body")', None, None),
    ("type", 'res:type(s):send("body")', "content-type", None),
    ("type_part", 'res:type("a/" .. s):send("body")', "content-type", None),
    ("content_type", 'res:content_type("text/" .. s):send("body")', "content-type", None),
    ("set_type", 'res:set("content-type", s):send("body")', "content-type", None),
    ("location", 'res:location(s):send("body")', "location", r"[!-~]*"),
    ("redirect", "res:redirect(s)", "location", r"[!-~]*"),
    ("redirect_status", 'res:redirect(307, "/a" .. s)', "location", r"/a[!-~]*"),
    ("redirect_back", "res:redirect_back(s)", "location", r"[!-~]*"),
    ("links_url", 'res:links{ next = s }:send("body")', "link", r'<[!-~]*>; rel="next"'),
    ("links_urls", 'res:links{ next = { "/a", s } }:send("body")', "link", r'<[!-~]*>; rel="next", <[!-~]*>; rel="next"'),
    ("links_rel", 'res:links{ [s] = "/a" }:send("body")', "link", r'</a>; rel="[^"\\]+"'),
    ("vary", 'res:vary(s):send("body")', "vary", r"[!-~]+(, [!-~]+)*"),
    ("vary_list", 'res:vary{ "Accept", s }:send("body")', "vary", r"\*|Accept(, [!-~]+)*"),
    ("attachment", 'res:attachment(s):send("body")', "content-disposition", r"attachment; filename=[ -~]*"),
    ("status", 'res:status(s):send("body")', None, None),
    ("send_status", "res:send_status(s)", None, None),
    ("format", 'res:format{ [s] = function(_, r) r:send("body") end, default = function(_, r) r:send("body") end }', "content-type", None),
    ("jsonp", 'res:type("json"):jsonp("body")', None, None),
    ("abort_header", 'http.abort(404, "x", { headers = { ["x-a"] = s } })', "x-a", None),
    ("abort_name", 'http.abort(404, "x", { headers = { ["x-a" .. s] = "1" } })', None, None),
    ("abort_message", "http.abort(404, s)", None, None),
    ("raised_headers", 'error(fsd.error { status = 404, message = "x", headers = { ["x-a"] = s, ["x-a" .. s] = "1", [s] = s } })', None, None),
    ("etag", 'res:set("etag", s):send("body")', "etag", None),
    ("modified", 'res:set("last-modified", s):send("body")', "last-modified", None),
    ("stream", 'res:set("x-a", s):write("bo") res:finish("dy")', "x-a", None),
    ("late_trailer", 'res:write("body") pcall(res.trailer, res, "x-a", s)', None, None),
    ("trailer", 'res:trailer("x-a", s):write("body")', "x-a", None),
    ("trailer_name", 'res:trailer("x-a" .. s, "1"):write("body")', None, None),
    ("send_file_headers", 'res:send_file(FILE, { headers = { ["x-a"] = s } })', "x-a", None),
    ("send_file", "res:send_file(s)", None, None),
    ("download", "res:download(FILE, s)", "content-disposition", r"attachment; filename=[ -~]*"),
    ("cookie", 'res:cookie("c", s):send("body")', "set-cookie", r"c=[!-~]*(; [ -~]*)?"),
    ("cookie_name", 'res:cookie("c" .. s, "1"):send("body")', "set-cookie", r"c[!-~]*=1; [ -~]*"),
    ("cookie_path", 'res:cookie("c", "1", { path = "/" .. s }):send("body")', "set-cookie", r"c=1; [ -~]*"),
    ("cookie_domain", 'res:cookie("c", "1", { domain = s }):send("body")', "set-cookie", r"c=1; [ -~]*"),
    ("clear_cookie", 'res:clear_cookie("c" .. s):send("body")', "set-cookie", r"c[!-~]*=; [ -~]*"),
    ("early_hints", 'res:early_hints{ link = s }:send("body")', None, None),
]

APP = r'''
local fsd, http, nasty = require "fsd", require "fsd.http", require "nasty"
local app = fsd.app()
local FILE = "%s"
local function text_of(req) return nasty[math.tointeger(tonumber(req.query.i))] end
%s
app:get("/callback", function(req, res) res:jsonp("body") end)
return app
'''

# What may stand in a head beside what the setter is about, and what it is about with another name.
OURS = {"date", "server", "connection", "content-length", "content-type", "transfer-encoding", "etag", "vary"}
ALLOWED = OURS | {"x-a", "location", "link", "content-disposition", "last-modified", "x-content-type-options", "trailer", "set-cookie", "accept-ranges",
                  "cache-control"}


@pytest.fixture(scope="module")
def wire(serve, tmp_path_factory):
    escaped = ",\n".join('"' + "".join(f"\\x{byte:02x}" for byte in text) + '"' for text in TEXTS)
    routes = "\n".join(f'app:get("/{name}", function(req, res) local s = text_of(req) {call} end)' for name, call, *_ in SETTERS)
    file = tmp_path_factory.mktemp("file") / "a.txt"
    file.write_text("body")
    app = serve({"app.lua": APP % (file, routes), "nasty.lua": f"return {{ {escaped} }}"})
    host, port = app.address().rsplit(":", 1)
    wire = Wire(host, int(port))
    yield wire
    wire.socket.close()


class Wire:
    """One connection, on which answers are read byte by byte as they are."""

    def __init__(self, host, port):
        self.host = f"{host}:{port}"
        self.socket = socket.create_connection((host, port), 60)
        self.file = self.socket.makefile("rb")

    def ask(self, path):
        """The status line, the lines of the head and of trailers, the body: what stands before the first empty line, and what the head says of the rest."""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nTE: trailers\r\n\r\n".encode())
        lines, self.trailers = [], []
        while not lines or lines[-1] != b"\r\n":
            line = self.file.readline()
            assert line.endswith(b"\n"), f"cut after {lines}"
            lines.append(line)
        assert all(line.endswith(b"\r\n") and b"\r" not in line[:-2] for line in lines), lines
        body = self.read_body(b"".join(lines).lower())
        return lines[0][:-2], [line[:-2] for line in lines[1:-1]] + self.trailers, body

    def read_body(self, head):
        if b"\r\ntransfer-encoding: chunked\r\n" in head:
            body = b""
            while size := int(self.file.readline(), 16):
                body += self.file.read(size + 2)[:-2]
            while (line := self.file.readline()) != b"\r\n":
                assert line.endswith(b"\r\n") and b"\r" not in line[:-2], line
                self.trailers.append(line[:-2])
            return body
        return self.file.read(int(re.search(rb"\r\ncontent-length: (\d+)\r\n", head)[1]))


def judge(line, fields, about, pattern, text):
    """Nothing but the head that is meant."""
    assert re.fullmatch(rb"HTTP/1\.1 [2345]\d\d [ -~]+", line), line
    for field in fields:
        match = re.fullmatch(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+): ([^\x00-\x08\x0a-\x1f\x7f]*)", field)
        assert match, field
        name, value = match[1].decode().lower(), match[2]
        assert name in ALLOWED or name in (text.decode("latin1").lower(), "x-a" + text.decode("latin1").lower()), field
        assert name not in ("content-length", "transfer-encoding") or value in (b"chunked", b"4") or value.isdigit(), field
        if name == about and pattern is not None and re.fullmatch(rb"HTTP/1\.1 [23].*", line):
            assert re.fullmatch(pattern.encode(), value), field
    names = [field.split(b":")[0].lower() for field in fields]
    assert names.count(b"server") == names.count(b"content-length") + names.count(b"transfer-encoding") == 1, fields
    assert all(names.count(name) == 1 for name in names if name != b"x-a"), fields
    assert names.count(b"x-a") <= 2 and names.count(b"location") <= 1, fields


def test_there_are_more_than_500_of_them():
    assert len(TEXTS) > 500


@pytest.mark.parametrize("name, call, about, pattern", SETTERS, ids=[row[0] for row in SETTERS])
def test_nothing_becomes_a_header_of_its_own(wire, name, call, about, pattern):
    reached = 0
    for i, text in enumerate(TEXTS, 1):
        line, fields, body = wire.ask(f"/{name}?i={i}")
        judge(line, fields, about, pattern, text)
        status = int(line.split()[1])
        if name.startswith(("redirect", "abort", "raised")) or status >= 400:
            assert b"\r" not in body and b"\n" not in body, body
        else:
            assert body in (b"body", b'"body"'), body
        if about is not None and pattern is None and status == 200:
            values = [field.split(b": ", 1)[1] for field in fields if field.startswith(about.encode() + b": ")]
            charset = b"; charset=utf-8" if about == "content-type" else b""
            assert name in ("type", "format") or any(value.endswith(text) or value.endswith(text + charset) for value in values), (text, fields)
        reached += status < 400
    escapes = name.startswith(("location", "redirect", "links_url", "attachment", "jsonp", "late_trailer", "download"))
    assert escapes == (reached == len(TEXTS)), "who does not escape has to refuse"


def test_the_callback_of_jsonp_has_no_other_characters(wire):
    for i, text in enumerate(TEXTS, 1):
        query = "".join(f"%{byte:02x}" for byte in text[:1000])
        line, fields, body = wire.ask(f"/callback?callback={query}")
        judge(line, fields, None, None, b"x-a")
        assert re.fullmatch(rb"\"body\"|/\*\*/ typeof ([\w$.\[\]]+) === 'function' && \1\(\"body\"\);", body), (text, body)
