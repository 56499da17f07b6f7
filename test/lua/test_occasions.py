"""app:on: what an application is told of the life of its worker and of its code."""
import signal

import pytest

from app_process import AppProcess
from handler_rows import app_of

EVENTS = '''
local log = require "fsd.log"
local version = VERSION
for _, event in ipairs { "start", "worker_start", "ready", "reload", "drain", "stop", "worker_stop" } do
  app:on(event, function(other)
    fsd.task.sleep(0.001)
    log:info("told", { what = event, version = version, other = tostring(other) })
  end)
end
app:get("/", function() return "x" end)
'''


def told(app, version):
    return [(record["what"], record["other"]) for record in app.records() if record["msg"] == "told" and record["version"] == version]


def test_application_is_told_of_its_worker_and_of_its_code(tmp_path):
    app = AppProcess(tmp_path, app_of([], EVENTS.replace("VERSION", "1")))
    app.write_conf(log_format="json")
    try:
        app.start_ready()
        app.wait_record(msg="told", what="ready", version=1)
        assert {event for event, _ in told(app, 1)} <= {"worker_start", "start", "ready"}
        app.app_path.write_text(app_of([], EVENTS.replace("VERSION", "2")))
        app.call("reload")
        app.wait_record(msg="told", what="ready", version=2)
        app.wait_record(msg="told", what="stop", version=1)
        app.signal(signal.SIGTERM)
        app.wait_exit()
        assert sorted(told(app, 1)) == [("ready", "nil"), ("start", "nil"), ("stop", "2"), ("worker_start", "nil")]
        assert sorted(told(app, 2)) == [("drain", "nil"), ("ready", "1"), ("reload", "1"), ("start", "1"), ("stop", "nil"), ("worker_stop", "nil")]
        order = [event for event, _ in told(app, 2)]
        assert order.index("drain") < order.index("stop")
    finally:
        app.kill()


def test_mounted_application_is_told_where(serve):
    app = serve(app_of([], '''
local sub = fsd.app { name = "sub" }
local told = {}
sub:on("mount", function(parent) told[#told + 1] = { parent == app, sub.mountpath } end)
sub:on("mount", function() told[#told + 1] = "second" end)
app:use("/a", sub):use({ "/b", "/c" }, sub)
app:get("/", function() return told end)'''))
    assert app.get("/").json() == [[True, "/a"], "second", [True, ["/b", "/c"]], "second"]


@pytest.mark.parametrize("call, message", [
    ("app:on('stopp', print)", "the events are"), ("app:on('stop')", "function expected"), ("app.on('stop', print)", "call app:on(...) with a colon"),
])
def test_wrong_calls_are_refused(serve_refused, call, message):
    assert message in serve_refused(app_of([], call))
