"""Children of scope "node": one in all workers, wherever it is."""
import contextlib
import os
import random
import signal

import pytest
from deploying import edited
from fsd_process import RpcError
from node_app import NODE_FILES, NodeApp
from service import wait_for

# Notes in shared memory which process has it, and whether that one before it lives still: nobody may ever be the second.
CHILD = '''
local server = require "fsd.server"
local fsd = require "fsd"
local actor = require "fsd.actor"
local Child = server{}
local function lives(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  if not file then return false end
  local text = file:read "a"
  file:close()
  return text ~= nil and not text:find ") Z "
end
function Child:init(id)
  actor.trap_exit(true)
  local d = fsd.shared "cache"
  self.id = id
  local other = d:get("in:" .. id)
  if other and lives(other) then d:incr("twice", 1, 0) end
  d:set("in:" .. id, fsd.worker.self().pid)
  d:incr("starts:" .. id, 1, 0)
end
function Child:handle_call(msg)
  if msg == "crash" then error "told to" end
  return fsd.worker.self().slot
end
function Child:terminate() fsd.shared "cache":delete("in:" .. self.id) end
return Child
'''
PICKY = '''
local Picky = require "fsd.server"{}
function Picky:init() assert(require("fsd.worker").self().slot ~= 2) end
return Picky
'''
SUPERVISOR = '''
app:supervisor { name = "rooms", intensity = 5, period = 60, children = {
  %s
} }
'''
IDS = ["a", "b", "c", "d", "e", "f"]
KIDS = ",\n".join(f'{{ id = "{key}", start = {{ "child", "{key}" }}, scope = "node", name = "room:{key}" }}' for key in IDS)

STATE = '''
  local d, where = fsd.shared "cache", {}
  for _, id in ipairs{"a", "b", "c", "d", "e", "f"} do
    local pid = actor.whereis("room:" .. id)
    where[id] = pid and tostring(pid):match "^<%d+%.(%d+)" or "nobody"
  end
  return { where = where, twice = d:get "twice" or 0 }
'''


@pytest.fixture
def start(make_service):
    def begin(kids=KIDS, is_ready=True):
        files = {**NODE_FILES, "child.lua": CHILD, "picky.lua": PICKY}
        files["app.lua"] = files["app.lua"].replace("-- more", SUPERVISOR % kids)
        service = make_service(files, 3)
        service.write_conf()
        with edited(service) as conf:
            conf["shared"] = {"cache": {"size": "4MiB"}}
        return NodeApp(service.start_ready() if is_ready else service.start())

    return begin


def wait_shares(nodes, shares=None, slot=0):
    """Until each child runs somewhere, and so many of them in each worker that has any; returns who runs where."""
    def find():
        found = nodes.run(slot, STATE)[0]
        assert found["twice"] == 0, found
        owners = list(found["where"].values())
        counts = sorted(owners.count(owner) for owner in set(owners))
        return found["where"] if "nobody" not in owners and shares in (None, counts) else None

    return wait_for(find, f"children in shares of {shares}")


def incarnation(nodes, slot):
    return str(nodes.run(slot, "return fsd.worker.self().incarnation")[0])


def test_children_are_spread_over_the_workers(start):
    nodes = start()
    where = wait_shares(nodes, [2, 2, 2])
    assert nodes.run(1, STATE)[0]["where"] == where


def test_the_children_of_a_killed_worker_move_to_others(start):
    nodes = start()
    before = wait_shares(nodes, [2, 2, 2])
    victim = incarnation(nodes, 1)
    os.kill(nodes.service.slot(1)["pid"], signal.SIGKILL)
    after = wait_shares(nodes, [3, 3])
    assert victim not in after.values()
    assert all(after[key] == owner for key, owner in before.items() if owner != victim)
    nodes.service.wait_workers(lambda rows: [row["state"] for row in rows] == ["ready"] * 3, "a successor")
    os.kill(nodes.service.slot(0)["pid"], signal.SIGKILL)
    wait_shares(nodes, [3, 3], slot=1)  # the new one has had none


def test_never_are_there_two_while_workers_die(start):
    nodes = start()
    for i in range(9):
        wait_shares(nodes, slot=(i + 1) % 3)
        row = wait_for(lambda slot=i % 3: nodes.service.slot(slot), "a worker to kill")
        os.kill(row["pid"], signal.SIGKILL)
    wait_shares(nodes)


def test_a_child_that_crashes_is_restarted_where_it_is(start):
    nodes = start()
    before = wait_shares(nodes, [2, 2, 2])
    slot = next(slot for slot in range(3) if incarnation(nodes, slot) == before["c"])
    nodes.run(slot, 'fsd.try(actor.call, actor.whereis "room:c", "crash")')
    nodes.wait(slot, 'return fsd.shared "cache":get "starts:c"', [2])
    assert wait_shares(nodes, [2, 2, 2]) == before


def test_a_reload_moves_children_and_never_runs_one_twice(start):
    nodes = start()
    before = wait_shares(nodes, [2, 2, 2])
    nodes.service.call("reload", restart=True)
    wait_for(lambda: not set(before.values()) & set(wait_shares(nodes).values()), "children in new workers only")


def test_a_change_of_code_in_place_leaves_children_where_they_are(start):
    nodes = start()
    before = wait_shares(nodes, [2, 2, 2])
    app = nodes.service.app_path
    app.write_text(app.read_text().replace('id = "a"', 'restart = "transient", id = "a"'))
    nodes.service.call("reload")
    assert wait_shares(nodes, [2, 2, 2]) == before
    assert nodes.run(0, 'return fsd.shared "cache":get "starts:a"') == [1]
    os.kill(nodes.service.slot(1)["pid"], signal.SIGKILL)
    wait_shares(nodes, [3, 3])  # who waited before waits still


def test_children_that_new_code_declares_no_more_end_and_new_ones_start_once(start):
    nodes = start()
    before = wait_shares(nodes, [2, 2, 2])
    app = nodes.service.app_path
    app.write_text(app.read_text().replace('"a"', '"x"').replace('"room:a"', '"room:x"'))
    nodes.service.call("reload")

    def find():
        return nodes.run(0, '''
  local d = fsd.shared "cache"
  return actor.whereis "room:x" ~= nil, actor.whereis "room:a" == nil, d:get "in:a" == nil, d:get "starts:x" or 0, d:get "twice" or 0''')

    wait_for(lambda: find() == [True, True, True, 1, 0], "the other child")
    after = nodes.run(0, STATE)[0]["where"]
    assert {key: after[key] for key in "bcdef"} == {key: before[key] for key in "bcdef"}


def test_an_upgrade_leaves_children_where_they_are(start):
    nodes = start()
    before = wait_shares(nodes, [2, 2, 2])
    nodes.service.call("upgrade")
    assert wait_shares(nodes, [2, 2, 2]) == before
    os.kill(nodes.service.slot(2)["pid"], signal.SIGKILL)
    wait_shares(nodes, [3, 3])  # who waited before the upgrade waits still


def test_never_are_there_two_whatever_happens(start):
    nodes = start()
    choose = random.Random(1)
    for what in choose.choices(["reload", "upgrade", "replace"], k=15):
        wait_shares(nodes)
        if what == "replace":
            os.kill(choose.choice(nodes.service.workers("ready"))["pid"], signal.SIGTERM)
        else:
            with contextlib.suppress(RpcError):  # workers are leaving still
                nodes.service.call(what)
        nodes.service.wait_workers(lambda rows: {row["slot"] for row in rows if row["state"] == "ready"} == {0, 1, 2}, "three workers")
    wait_shares(nodes)


def test_who_is_drained_gives_its_children_to_others(start):
    nodes = start()
    wait_shares(nodes, [2, 2, 2])
    nodes.service.call("scale", pool="web", count=1)
    wait_shares(nodes, [6])


def test_who_cannot_start_is_not_waited_for(start):
    """The worker of slot 2 ends each time; the others do not wait for it for ever."""
    nodes = start(KIDS + ', { id = "picky", start = { "picky" } }', is_ready=False)
    wait_for(lambda: nodes.service.status() and len(nodes.service.workers("ready")) == 2, "two workers")
    wait_shares(nodes, [3, 3])


def test_the_supervisor_tells_of_keepers(start):
    nodes = start()
    wait_shares(nodes, [2, 2, 2])
    assert nodes.run(0, """
      local sup = require "fsd.supervisor"
      local list = {}
      for i, child in ipairs(sup.which_children "rooms") do list[i] = child.id .. " " .. child.type .. " " .. child.state end
      return list""") == [[f"{key} supervisor running" for key in IDS]]


def test_a_child_that_is_terminated_runs_elsewhere(start):
    nodes = start()
    before = wait_shares(nodes, [2, 2, 2])
    slot = next(slot for slot in range(3) if incarnation(nodes, slot) == before["d"])
    nodes.run(slot, 'require("fsd.supervisor").terminate_child("rooms", "d")')
    assert wait_shares(nodes, [1, 2, 3])["d"] != before["d"]
    nodes.run(slot, 'require("fsd.supervisor").restart_child("rooms", "d")')
    os.kill(nodes.service.slot((slot + 1) % 3)["pid"], signal.SIGKILL)
    wait_shares(nodes, [3, 3], slot=slot)


def test_a_child_that_cannot_be_loaded_ends_the_workers_as_any_other_would(start):
    nodes = start('{ id = "x", start = { "nothing" }, scope = "node" }', is_ready=False)
    nodes.service.wait_log("leaving at once: what the application declares to be supervised has failed")
