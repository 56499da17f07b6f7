"""app:supervisor: what an application declares runs in each worker from before it serves until after its last request."""
import threading

import pytest

from app_process import AppProcess
from fsd_process import wait_for

KID = '''
local Kid = require "fsd.server"{}
local actor, log = require "fsd.actor", require "fsd.log"
function Kid:init(args)
  self.args = args
  actor.trap_exit(true)
  log:info("+" .. args.id)
  if args.init then return load("local actor, fsd = require 'fsd.actor', require 'fsd' " .. args.init)() end
end
function Kid:handle_call(msg) return msg end
function Kid:handle_cast(msg) error(msg, 0) end
function Kid:terminate() log:info("-" .. self.args.id) end
return Kid
'''

HEAD = '''
local fsd = require "fsd"
local actor, sup = require "fsd.actor", require "fsd.supervisor"
local app = fsd.app()
local function kid(id, o) o = o or {} return { id = id, name = id, start = { "kid", { id = id, init = o.init } }, restart = o.restart, shutdown = o.shutdown } end
app:get("/children/:name", function(req)
  local list = {}
  for i, c in ipairs(sup.which_children(req.params.name)) do list[i] = { c.id, c.state } end
  return list
end)
app:get("/crash/:name", function(req) actor.cast(req.params.name, "on purpose"); return "x" end)
app:get("/kill/:name", function(req) actor.exit(req.params.name, "kill"); return "x" end)
'''


def text_of(declarations):
    return {"app.lua": HEAD + declarations + "\nreturn app", "kid.lua": KID}


TWO = '''
app:supervisor{ name = "first", intensity = 3, children = { kid("a"), kid("b") } }
app:supervisor{ name = "second", intensity = 0, children = { kid("c") } }
app:supervisor{ name = "many", child = { start = { "kid" }, restart = "temporary" } }
app:get("/add/:id", function(req) sup.start_child("many", { id = req.params.id }); return "x" end)
app:get("/slow", function() fsd.log:info("slow"); fsd.task.sleep(0.1); return actor.call("a", "still here") end)
app:on("start", function() fsd.log:info("on start: " .. actor.call("c", "c runs")) end)
'''


def signs(app):
    """What the children have logged."""
    return [record["msg"] for record in app.records() if record["msg"][0] in "+-"]


@pytest.fixture
def start(tmp_path):
    started = []

    def run(declarations, workers=1, **pool):
        process = AppProcess(tmp_path, text_of(declarations), workers=workers)
        process.write_conf(log_format="json", **pool)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()


def test_what_is_declared_runs_before_the_worker_serves(start):
    app = start(TWO).start_ready()
    assert signs(app) == ["+a", "+b", "+c"]
    assert app.get("/children/first").json() == [["a", "running"], ["b", "running"]]


def test_what_starts_at_the_start_finds_them(start):
    start(TWO).start_ready().wait_record(msg="on start: c runs")


def test_children_of_a_declared_dynamic_supervisor_come_later(start):
    app = start(TWO).start_ready()
    assert app.get("/children/many").json() == {}
    app.get("/add/d")
    assert len(app.get("/children/many").json()) == 1


def test_a_child_that_crashes_is_restarted_and_the_worker_stays(start):
    app = start(TWO).start_ready()
    app.get("/crash/a")
    wait_for(lambda: signs(app).count("+a") == 2, "the restart")
    assert app.get("/children/first").json()[0] == ["a", "running"]
    assert app.workers()[0]["restarts"] == 0


def test_all_end_in_reverse_order_after_the_last_request(start):
    app = start(TWO).start_ready()
    app.get("/add/d")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(app.get("/slow").text))
    thread.start()
    app.wait_record(msg="slow")
    app.stop()
    thread.join()
    assert answers == ["still here"]
    assert signs(app) == ["+a", "+b", "+c", "+d", "-d", "-c", "-b", "-a"]
    assert not [record for record in app.records() if record["level"] == "error"]


def test_a_supervisor_that_gives_up_ends_the_worker(start):
    app = start(TWO, workers=2).start_ready()
    app.get("/crash/c")
    app.wait_record(msg='the application\'s supervisor "second" has ended: shutdown')
    app.wait_record(msg="leaving at once: what the application declares to be supervised has failed")
    report = app.wait_record(event="crash.report")
    assert (report["class"], report["cause"]) == ("exit", "exited with code 1")
    wait_for(lambda: signs(app).count("+c") == 3, "the replacement")
    assert app.get("/children/second").status == 200


def test_a_root_that_is_killed_ends_the_worker(start):
    app = start(TWO + 'app:get("/root", function() actor.exit(actor.list{ module = "fsd.supervisor.root" }[1], "kill") return "x" end)').start_ready()
    app.get("/root")
    app.wait_record(msg="leaving at once: what the application declares to be supervised has failed")
    wait_for(lambda: signs(app).count("+c") == 2, "the replacement")


def test_a_start_that_fails_says_what_failed(start):
    app = start('app:supervisor{ name = "rooms", children = { kid("a"), kid("b", { init = "error(\'no luck\', 0)" }) } }')
    app.start()
    app.wait_record(msg='cannot start child "rooms": child "b": no luck')
    app.wait_record(msg="leaving at once: what the application declares to be supervised has failed")


def test_a_start_that_succeeds_later_serves_later(start):
    app = start('app:supervisor{ name = "rooms", children = { kid("a", { init = "fsd.task.sleep(0.3)" }) } }')
    app.start_ready()
    assert app.get("/children/rooms").json() == [["a", "running"]]
    assert app.wait_record(msg="worker is ready")["boot_ms"] >= 300


def test_a_worker_can_be_stopped_while_it_starts(start):
    app = start('app:supervisor{ name = "rooms", children = { kid("a"), kid("b", { init = "fsd.task.sleep(60)", shutdown = 0.05 }) } }')
    app.start()
    wait_for(lambda: "+b" in signs(app), "the start")
    app.stop()
    assert signs(app)[:2] == ["+a", "+b"]


REFUSED = [
    ("unknown option", 'app:supervisor{ nme = 1 }', 'the supervisor has an unknown option "nme"'),
    ("no table", "app:supervisor()", "table expected"),
    ("no colon", "app.supervisor{}", "call app:supervisor(...) with a colon"),
    ("scope node", 'app:supervisor{ children = { { start = { "kid" }, scope = "node" } } }', 'child 1 has scope "node", so its supervisor needs a name, and children with ids'),
    ("scope node of many", 'app:supervisor{ name = "x", child = { start = { "kid" }, scope = "node" } }',
     'child has scope "node", so its supervisor needs a name, and children with ids'),
    ("scope node, significant",
     'app:supervisor{ name = "x", auto_shutdown = "any_significant", '
     'children = { { start = { "kid" }, scope = "node", restart = "transient", significant = true } } }',
     'child 1 has scope "node", so it can\'t be significant'),
    ("scope node, long", 'app:supervisor{ name = ("x"):rep(255), children = { { start = { "kid" }, scope = "node" } } }',
     'child 1 has scope "node", so its id and the supervisor\'s name must be shorter'),
    ("one name twice", 'app:supervisor{ name = "x" } app:supervisor{ name = "x" }', 'there is a supervisor "x" already'),
    ("a function", 'app:supervisor{ children = { { start = { "kid", print } } } }', 'cannot send a function at "children[1].start[2]"'),
    ("supervisor.start at load", 'sup.start{}', "what shall run from the start is declared with app:supervisor{...}"),
    ("actor.spawn at load", 'actor.spawn("kid")', "what shall run from the start is declared with app:supervisor{...}"),
    ("server.start at load", 'require("kid").start()', "what shall run from the start is declared with app:supervisor{...}"),
]


@pytest.mark.parametrize("text, message", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_mistakes_fail_the_load(serve_refused, text, message):
    log = serve_refused(text_of(text))
    assert message in log and "app.lua:" in log


def test_a_handler_cannot_declare(start):
    app = start('app:get("/late", function() local _, e = fsd.try(app.supervisor, app, {}) return e.message end)').start_ready()
    assert "app:supervisor is for code that is being loaded; what runs already has fsd.supervisor" in app.get("/late").text
