"""req:spawn: tasks that belong to a request."""
import pytest

from fsd_process import wait_for
from handler_rows import app_of

TASKS = '''
local log = json.array{}
app:get("/log", function() local told = log; log = json.array{}; return told end)
app:get("/answers", function(req, res) req:spawn(function(word) fsd.task.sleep(0.001); res:send(word) end, "late") end)
app:get("/both", function(req, res)
  local parts = {}
  for i = 1, 3 do req:spawn(function() fsd.task.sleep(0.001); parts[i] = i; if #parts == 3 then res:json(parts) end end) end
end)
app:get("/joined", function(req) local one = req:spawn(function() return 7 end); return { one:join() } end)
app:get("/raises", function(req, res)
  req:spawn(function()
    local guard <close> = setmetatable({}, { __close = function() log[#log + 1] = "cancelled" end })
    fsd.task.sleep(30)
  end)
  req:spawn(function() fsd.task.sleep(0.001); error { status = 418, message = "teapot" } end)
end)
app:get("/fails", function(req, res)
  req:spawn(function()
    local guard <close> = setmetatable({}, { __close = function() log[#log + 1] = "cancelled" end })
    fsd.task.sleep(30)
  end)
  fsd.task.sleep(0.001)
  error { status = 409, message = "handler" }
end)
app:get("/sent", function(req, res) req:spawn(function() fsd.task.sleep(0.001); error("after the answer") end); res:send("answer") end)
app:get("/silent", function(req, res) req:spawn(function() end) end)
app:get("/long", function(req, res)
  req:spawn(function() fsd.task.sleep(0.001); error("behind a long answer") end)
  local long = {}
  for i = 1, 100000 do long[i] = i end
  return long
end)
app:get("/wrong", function(req) local _, err = fsd.try(req.spawn, req, 5); return err.message end)
app:on_error(function(err, req, res) res:status(err.status):send(err.message) end)
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of([], TASKS))


@pytest.mark.parametrize("path, status, text", [
    ("/answers", 200, "late"), ("/both", 200, "[1,2,3]"), ("/joined", 200, "[7]"), ("/raises", 418, "teapot"), ("/fails", 409, "handler"),
    ("/sent", 200, "answer"),
])
def test_request_waits_for_its_tasks_and_fails_with_them(app, path, status, text):
    answer = app.get(path)
    assert (answer.status, answer.text) == (status, text)


@pytest.mark.parametrize("path", ["/raises", "/fails"])
def test_tasks_of_a_request_that_fails_are_cancelled(serve, path):
    app = serve(app_of([], TASKS))
    app.get(path)
    wait_for(lambda: app.get("/log").json() == ["cancelled"], "the task to be cancelled")


def test_error_behind_the_answer_is_logged(app):
    app.get("/sent")
    assert "after the answer" in app.wait_record(level="error", path="/sent")["msg"]


def test_request_waits_for_its_tasks_behind_a_long_answer(app):
    assert len(app.get("/long").json()) == 100000
    assert "behind a long answer" in app.wait_record(level="error", path="/long")["msg"]


def test_tasks_that_do_not_answer_are_no_answer(app):
    assert "returned without answering" in app.get("/silent").text


def test_what_is_no_function_is_refused(app):
    assert "function expected, got number" in app.get("/wrong").text
