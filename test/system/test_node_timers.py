"""Timers across workers: those of scope "node" run in one of all workers, and messages that are sent later reach actors of others."""
import os
import signal
import time

import pytest
from node_app import NODE_FILES, NodeApp
from deploying import edited
from service import wait_for

WORKERS = 3

# Each run notes who ran it.
TIMERS = '''
local function note(key)
  local d, me = fsd.shared "cache", fsd.worker.self()
  d:set("last:" .. key, me.incarnation)
  d:incr(key .. ":" .. me.incarnation, 1, 0)
  d:incr(key, 1, 0)
end
app:every(0.02, function() note "node" end, { scope = "node" })
app:every(0.02, function() note "other" end, { scope = "node" })
app:cron("0 0 1 1 *", function() note "cron" end, { scope = "node" })
app:every(0.02, function() note "worker" end, { scope = "worker" })
app:every(0.02, function() note "plain" end, {})
'''


@pytest.fixture
def nodes(make_service):
    files = dict(NODE_FILES)
    files["app.lua"] = files["app.lua"].replace("-- more", TIMERS)
    service = make_service(files, WORKERS)
    service.write_conf()
    with edited(service) as conf:
        conf["shared"] = {"cache": {"size": "4MiB"}}
    return NodeApp(service.start_ready())


def read(nodes, key):
    """How often it ran, the incarnation that ran it last, and by incarnation how often."""
    total, last = nodes.run(0, f'local d = fsd.shared "cache" return d:get "{key}" or 0, d:get "last:{key}" or 0')
    counts = nodes.run(0, 'local d, found = fsd.shared "cache", {} for _, m in ipairs(require("fsd.worker").list()) do '
                          f'found[tostring(m.incarnation)] = d:get("{key}:" .. m.incarnation) end return found')[0]
    return total, last, dict(counts)


def test_a_timer_of_scope_node_runs_in_one_worker(nodes):
    wait_for(lambda: read(nodes, "node")[0] >= 10, "runs of the timer")
    wait_for(lambda: len(read(nodes, "worker")[2]) == WORKERS and len(read(nodes, "plain")[2]) == WORKERS, "those of each worker")
    assert len(read(nodes, "node")[2]) == 1
    assert list(read(nodes, "node")[2]) == list(read(nodes, "other")[2]), "one scheduler has them all"
    assert read(nodes, "cron")[0] == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "leaving"])
def test_another_worker_goes_on_when_that_one_ends(nodes, number):
    wait_for(lambda: read(nodes, "node")[0] >= 3, "runs of the timer")
    first = read(nodes, "node")[1]
    row = next(slot for slot in map(nodes.service.slot, range(WORKERS)) if slot["incarnation"] == first)
    os.kill(row["pid"], number)
    wait_for(lambda: read(nodes, "node")[1] not in (0, first), "runs in another worker")
    second = read(nodes, "node")[1]
    before = read(nodes, "node")[0]
    wait_for(lambda: read(nodes, "node")[0] >= before + 3, "more runs")
    assert read(nodes, "node")[1] == second


def test_a_message_is_sent_later_to_an_actor_of_another_worker(nodes):
    assert nodes.run(0, '''
  local worker = require "fsd.worker"
  local me, other = worker.self().incarnation
  for _, member in ipairs(worker.list()) do if member.incarnation ~= me then other = member end end
  local echo = "local m = receive() fsd.timer.send_after(0.001, m, {'back', self()}) receive(5)"
  local pid = worker.spawn("do", {text = echo, args = {}}, {on = other})
  local t = fsd.timer.send_after(0.01, pid, self())
  local answer = receive(10)
  return answer[1], answer[2] == pid, t:read() == nil''') == ["back", True, True]


def test_they_go_on_by_the_same_clock_when_the_code_is_changed_in_place(nodes):
    """All the time: a timer that was counted anew each time would never go off."""
    service = nodes.service
    text = service.app_path.read_text()
    end = time.monotonic() + 60
    count = 0
    while not read(nodes, "slow")[0] and time.monotonic() < end:
        count += 1
        more = f'app:every(3, function() note "slow" end, {{ scope = "node", id = "slow" }}) local change = {count}\nreturn app'
        service.app_path.write_text(more.join(text.rsplit("return app", 1)))
        service.call("reload")
    assert count > 3 and read(nodes, "slow")[0]
