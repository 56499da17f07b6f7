"""fsd.url and fsd.uuid."""
import pytest

from handler_rows import app_of, names

HEAD = '''
local url, uuid = fsd.url, fsd.uuid
local function failure(...) local ok, err = fsd.try(...) if ok == nil then return err end end
local function mistake(...) local ok, err = pcall(...) assert(not ok) return tostring(err) end
local function why(...) local err = failure(...) return err and err.name == "UrlError" and err.status == 400 and err.code .. ": " .. err.message end
'''

# name, body: it must return true
ROWS = [
    ("a-url-has-its-parts", '''
        local u = url.parse("HTTPS://a%40b:p:w@Example.COM:8443/x%20y/?q=1&r#top")
        local bare = url.parse("/x")
        return u.scheme == "https" and u.user == "a@b" and u.password == "p:w" and u.host == "example.com" and u.port == 8443 and u.path == "/x%20y/"
          and u.query == "q=1&r" and u.fragment == "top" and bare.path == "/x" and next(bare, "path") == nil and url.parse("http://h:/").port == nil
          and url.parse("http://u@h").password == nil and url.parse("http://u:@h").password == "" and url.parse("http://[::1]:80").host == "[::1]"'''),
    ("what-is-no-url-says-where", '''
        return why(url.parse, "http://a b/") == "url.parse: invalid URL: unexpected character at byte 9" and why(url.parse, "http://h:70000/"):find("no such port", 1, true)
          and why(url.resolve, "http://a b/", "c"):find("at byte 9 of the base", 1, true) and why(url.resolve, "http://a", "%"):find("at byte 1 of the reference", 1, true)
          and mistake(url.parse, nil):find("a string is needed, got nil", 1, true) and mistake(url.parse, ("x"):rep(1048577)):find("1 MiB at most", 1, true) and true'''),
    ("a-url-is-put-together", '''
        local text = url.format{ scheme = "https", user = "a@b", password = "p:w", host = "h.example", port = 81, path = "x y/\\u{e4}?#%41", query = { b = { 1, "c d" }, a = true }, fragment = "f#g" }
        local again = url.parse(text)
        return text == "https://a%40b:p%3Aw@h.example:81/x%20y/%C3%A4%3F%23%41?a=true&b=1&b=c+d#f%23g" and again.user == "a@b" and again.password == "p:w"
          and url.format{} == "" and url.format{ path = "/a", query = "b=c" } == "/a?b=c" and url.format{ scheme = "mailto", path = "a@b" } == "mailto:a@b"'''),
    ("parts-that-make-no-url-are-refused", '''
        return why(url.format, { host = "a/b c" }) == "url.format: these parts make no URL" and why(url.format, { path = "a:b" }):find("url.format", 1, true)
          and why(url.format, { host = "a/b" }) and why(url.format, { host = "a@b" }) and why(url.format, { host = "a:1", path = "/x" }) and why(url.format, { path = "//a" })
          and why(url.format, { scheme = "1", path = "x" }):find("url.format", 1, true)
          and mistake(url.format, { hosst = "x" }):find('unknown part "hosst"', 1, true) and mistake(url.format, { port = "80" }):find("port must be a number, got string", 1, true)
          and mistake(url.format, "x"):find("a table is needed", 1, true) and true'''),
    ("references-are-resolved", '''
        return url.resolve("https://a.example/b/c?d", "../e?f#g") == "https://a.example/e?f#g" and url.resolve("https://a.example", "//b.example") == "https://b.example"'''),
    ("texts-are-escaped", '''
        return url.encode("/a b?c=d&\\u{20ac}%20") == "/a%20b?c=d&%E2%82%AC%20" and url.encode_component("a/b c&=?") == "a%2Fb%20c%26%3D%3F"
          and url.decode("a%2Fb+c%00") == "a/b+c\\0" and why(url.decode, "ab%4") == "url.decode: invalid escape at byte 3"'''),
    ("queries-go-both-ways", '''
        local q = url.query_decode("a=1&b=x+y&b=%26&b&&=z&c=d=e&")
        local many = why(url.query_decode, ("a&"):rep(1001))
        return q.a == "1" and q.b[1] == "x y" and q.b[2] == "&" and q.b[3] == "" and q[""] == "z" and q.c == "d=e"
          and url.query_encode(q) == "=z&a=1&b=x+y&b=%26&b=&c=d%3De" and url.query_encode{} == "" and url.query_encode{ n = 1.5, ["\\u{e4} "] = "+" } == "n=1.5&%C3%A4+=%2B"
          and many:find("more than 1000 pairs", 1, true) and why(url.query_decode, "a=%x"):find("invalid escape at byte 1 of", 1, true)
          and mistake(url.query_encode, { a = print }):find('"a" must be a string, a number', 1, true) and mistake(url.query_encode, { 1 }):find("names must be strings", 1, true) and true'''),
    ("uuids-are-made-and-read", '''
        local four, seven = uuid.v4(), uuid.v7()
        local p = uuid.parse(seven:upper())
        local err = failure(uuid.parse, "x")
        return uuid.is(four) and uuid.is(seven) and four:sub(15, 15) == "4" and p.version == 7 and math.abs(p.time - fsd.time()) < 60 and p.text == seven
          and #p.bytes == 16 and uuid.format(p.bytes) == seven and uuid.parse(four).time == nil and not uuid.is("x") and not uuid.is(nil) and not uuid.is(42)
          and err.name == "UuidError" and err.code == "uuid.parse" and err.status == 400 and mistake(uuid.format, "x"):find("16 bytes") and true'''),
    ("uuids-of-version-7-rise-and-none-comes-twice", '''
        local seen, before = {}, ""
        for _ = 1, 20000 do
          local id, four = uuid.v7(), uuid.v4()
          if id <= before or seen[four] then return id end
          before, seen[four] = id, true
        end
        return true'''),
]


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(ROWS, HEAD))


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_row(app, row):
    answer = app.get("/" + row[0])
    assert (answer.status, answer.text) == (200, "true")
