"""fsd.log, req.log and print: what reaches the log."""
import pytest

from app_process import AppProcess
from handler_rows import app_of

LEVELS = ["error", "warning", "notice", "info", "debug"]

CODE = r'''
for _, level in ipairs{ "error", "warning", "notice", "info", "debug" } do
  app:get("/level/" .. level, function() fsd.log[level](fsd.log, "at " .. level, { mine = level }); return "x" end)
end
app:get("/fields", function()
  fsd.log:info("fields", { text = "ä \"quoted\"\n2", int = math.maxinteger, float = 1.5, yes = true, no = false,
    fn = print, [1] = "dropped", long = ("x"):rep(3000) })
  return "x"
end)
app:get("/nested", function() fsd.log:info("nested", { list = { 1, 2 }, map = { a = { b = 1 } }, after = 1 }); return "x" end)
app:get("/fields-alone", function() fsd.log:info{ alone = 1 }; return "x" end)
app:get("/message", function()
  fsd.log:info(7, { of = "number" }); fsd.log:info(nil, { of = "nil" })
  fsd.log:info(setmetatable({}, { __tostring = function() return "never" end }), nil)
  return "x"
end)
app:get("/with", function()
  local child = fsd.log:with{ a = 1, b = 1 }
  child:with{ b = 2, c = 3 }:info("grandchild", { d = 4 })
  child:info("child", { a = 9 })
  fsd.log:info("root")
  return { child.fields.a, fsd.log.fields == nil }
end)
app:get("/request", function(req) req.log:info("in request", { a = 1 }); req.log:with{ b = 2 }:info("deeper"); return req.id end)
app:get("/print", function() print("printed", 1, nil, true, setmetatable({}, { __tostring = function() return "obj" end })); print(); return "x" end)
app:get("/long", function() fsd.log:info(("x"):rep(20000), { after = 1 }); return "x" end)
app:get("/bytes", function() fsd.log:info("bytes \xff\0 end", { value = "\xfe" }); return "x" end)
app:get("/mistakes", function()
  local said = json.array{}
  for _, f in ipairs{
    function() fsd.log.info("x") end, function() fsd.log:info("x", "y") end, function() fsd.log:with() end, function() fsd.log:with("x") end,
  } do
    local _, err = fsd.try(f)
    said[#said + 1] = err.message
  end
  return said
end)
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of([], CODE))


def said(app, path):
    answer = app.get(path)
    assert answer.status == 200, app.log()
    return answer


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_reaches_the_log_with_its_fields(app, level):
    said(app, "/level/" + level)
    record = app.wait_record(msg="at " + level)
    assert (record["level"], record["mine"], record["pool"], record["slot"]) == (level, level, "web", 0)


def test_fields_keep_their_types(app):
    said(app, "/fields")
    record = app.wait_record(msg="fields")
    assert record["text"] == 'ä "quoted"\n2'
    assert (record["int"], record["float"], record["yes"], record["no"]) == (9223372036854775807, 1.5, True, False)
    assert (record["fn"], record["long"]) == ("function", "x" * 3000)
    assert "dropped" not in record.values()


def test_tables_in_fields_do_not_cost_the_record(app):
    said(app, "/nested")
    record = app.wait_record(msg="nested")
    assert record["after"] == 1
    assert "list" in record and "map" in record


def test_fields_need_no_message(app):
    said(app, "/fields-alone")
    assert app.wait_record(alone=1)["msg"] == ""


def test_messages_are_made_text(app):
    said(app, "/message")
    assert app.wait_record(of="number")["msg"] == "7"
    assert app.wait_record(of="nil")["msg"] == "nil"


def test_a_child_adds_its_fields_and_leaves_its_parent(app):
    assert said(app, "/with").json() == [1, True]
    grandchild = app.wait_record(msg="grandchild")
    assert [grandchild[key] for key in "abcd"] == [1, 2, 3, 4]
    assert app.wait_record(msg="child")["b"] == 1
    assert not {"a", "b", "c"} & set(app.wait_record(msg="root"))


def test_req_log_adds_the_id_of_the_request(app):
    given = said(app, "/request").text
    assert app.wait_record(msg="in request", request_id=given)["a"] == 1
    assert app.wait_record(msg="deeper", request_id=given)["b"] == 2


def test_print_is_a_record_of_level_info(app):
    said(app, "/print")
    assert app.wait_record(msg="printed\t1\tnil\ttrue\tobj")["level"] == "info"


def test_a_long_message_is_cut_and_keeps_its_fields(app):
    said(app, "/long")
    assert app.wait_record(msg="x" * 8192)["after"] == 1


def test_bytes_that_are_not_text_do_not_break_the_log(app):
    said(app, "/bytes")
    assert app.wait_record(msg="bytes \ufffd\0 end")["value"] == "\ufffd"


def test_mistakes_are_raised(app):
    dot, text, nothing, word = said(app, "/mistakes").json()
    assert "call log:info(...) with a colon" in dot
    assert all("table expected" in message for message in (text, nothing, word))


def test_records_below_the_level_are_not_written(tmp_path):
    app = AppProcess(tmp_path, app_of([], CODE))  # fsd run: level info, text
    try:
        app.start_ready()
        for level in reversed(LEVELS):
            said(app, "/level/" + level)
        app.wait_log("at error")
        assert "at debug" not in app.log()
        assert all(f"at {level}" in app.log() for level in LEVELS[:-1])
        assert "mine=warning" in app.log()
    finally:
        app.kill()
