"""fsd.time: the clock, and dates as text."""
import pytest

from handler_rows import app_of, names

HEAD = '''
local time = fsd.time
local function failure(...) local ok, err = fsd.try(...) if ok == nil then return err end end
local function mistake(...) local ok, err = pcall(...) assert(not ok) return tostring(err) end
local function code(...) local err = failure(...) return err and err.name == "TimeError" and err.status == 400 and err.code end
'''

# name, body: it must return true
ROWS = [
    ("the-module-is-the-clock", '''
        return math.abs(fsd.time() - os.time()) < 5 and math.abs(time.now() - fsd.time()) < 5 and math.type(fsd.time()) == "float"'''),
    ("times-are-written", '''
        return time.format(0) == "1970-01-01T00:00:00Z" and time.format(1795361405.25, { digits = 3 }) == "2026-11-22T15:30:05.250Z"
          and time.format(1795361405.25, { zone = "+01:00", digits = 1 }) == "2026-11-22T16:30:05.2+01:00" and time.format(1795361405, { zone = -12600 }) == "2026-11-22T12:00:05-03:30"
          and time.format(1.9999, { digits = 2 }) == "1970-01-01T00:00:01.99Z" and time.format(-0.5, { digits = 1 }) == "1969-12-31T23:59:59.5Z"
          and time.format(-62135596800) == "0001-01-01T00:00:00Z" and time.format(253402300799) == "9999-12-31T23:59:59Z" and #time.format() == 20
          and time.format(1.234, { digits = 3 }) == "1970-01-01T00:00:01.234Z" and time.parse(time.format(86400 * 200, { zone = "local" })) == 86400 * 200'''),
    ("times-are-read", '''
        local seconds, offset = time.parse("2026-11-22T16:30:05.25+01:00")
        local day, none = time.parse("2026-11-22")
        return seconds == 1795361405.25 and offset == 3600 and day == 1795305600 and none == nil and math.type(day) == "integer" and code(time.parse, "yesterday") == "time.parse"
          and code(time.parse, "2026-02-30") == "time.parse" and mistake(time.parse, 5):find("a string is needed", 1, true) and true'''),
    ("dates-of-http-go-both-ways", '''
        local text = "Sun, 06 Nov 1994 08:49:37 GMT"
        return time.http(784111777) == text and time.parse_http(text) == 784111777 and #time.http() == 29 and time.parse_http("Thu, 29 Feb 2024 00:00:00 GMT") == 1709164800
          and code(time.parse_http, "Sun, 31 Feb 1994 08:49:37 GMT") == "time.parse" and code(time.parse_http, "Sun, 06 Nov 1994 24:49:37 GMT") == "time.parse"
          and code(time.parse_http, "Sun, 06 Foo 1994 08:49:37 GMT") == "time.parse" and code(time.parse_http, text .. " ") == "time.parse" and code(time.parse_http, "") == "time.parse"'''),
    ("formats-are-strftimes", '''
        return time.strftime("%d.%m.%Y %H:%M", 1795361405) == "22.11.2026 15:30" and time.strftime("%H:%M %z %Z %% %s", 1795361405, "+01:30") == "17:00 +0130 +01:30 % 1795361405"
          and time.strftime("%z %Z", 0) == "+0000 UTC" and time.strftime("%A %B", 0) == "Thursday January" and mistake(time.strftime, "%Q", 0):find("time.strftime", 1, true) and true'''),
    ("durations-are-read", '''
        return time.duration("5m") == 300 and math.type(time.duration("5m")) == "integer" and time.duration("1h30m") == 5400 and time.duration("250ms") == 0.25 and time.duration("1.5s") == 1.5
          and time.duration("1w2d3h4m5s") == 788645 and code(time.duration, "") == "time.duration" and code(time.duration, "5") == "time.duration" and code(time.duration, "5 m") == "time.duration"
          and code(time.duration, "m") == "time.duration" and code(time.duration, "5y") == "time.duration" and code(time.duration, "-5m") == "time.duration" and code(time.duration, "5m ") == "time.duration"'''),
    ("mistakes-are-said", '''
        return mistake(time.format, 0, { zone = "Europe/Berlin" }):find("a zone is", 1, true) and mistake(time.format, 0, { zone = "+24:00" }):find("a zone is", 1, true)
          and mistake(time.format, 0, { digit = 1 }):find('unknown option "digit"', 1, true) and mistake(time.format, 0, { digits = 10 }):find("0 to 9", 1, true)
          and mistake(time.format, 1e15):find("years 0 to 9999", 1, true) and mistake(time.format, 0/0):find("years 0 to 9999", 1, true) and mistake(time.http, "x"):find("seconds since 1970", 1, true) and true'''),
]


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(ROWS, HEAD))


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_row(app, row):
    answer = app.get("/" + row[0])
    assert (answer.status, answer.text) == (200, "true")
