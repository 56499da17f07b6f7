"""Groups, topics and spawning between the workers of one daemon, while some of them die."""
import os
import signal
import threading

import pytest

from fsd_process import wait_for
from link_faults import reset_links
from worker_apps import WorkerApps

HEAD = '''
local group, pubsub, worker = require "fsd.group", require "fsd.pubsub", require "fsd.worker"
local FIRST = "local group, pubsub, worker = require 'fsd.group', require 'fsd.pubsub', require 'fsd.worker' "
local function other(text, options, ...) return spawn(FIRST .. text, options, ...) end
local function names(pids) local t = {} for i, p in ipairs(pids) do t[i] = tostring(p) end table.sort(t) return t end
'''.replace("\n", " ")
STAYS = "fsd.task.sleep(600)"


class Node(WorkerApps):
    def run(self, slot, text):
        return super().run(slot, HEAD + text)

    def wait_joined(self):
        """Until each worker knows all others."""
        for slot in range(self.count):
            self.wait_run(slot, "return #worker.list()", [self.count])


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path, 3)
    try:
        node.wait_joined()
        yield node
    finally:
        node.close()


def test_each_worker_knows_all(node):
    for slot in range(3):
        found = node.run(slot, "return worker.list()")[0]
        assert [(place["slot"], place["pool"], place["is_self"]) for place in found] == [(other, "web", other == slot) for other in range(3)]
        assert {place["slot"]: place["incarnation"] for place in found} == {row["slot"]: row["incarnation"] for row in node.process.workers()}


def test_members_of_all_workers_are_known_in_all(node):
    for slot in range(3):
        node.run(slot, f'for i = 1, 2 do other("group.join([[g]]) {STAYS}") end')
    for slot in range(3):
        node.wait_run(slot, 'return #group.members("g"), #group.local_members("g")', [6, 2])
    known = [node.run(slot, 'return names(group.members("g"))') for slot in range(3)]
    assert known[0] == known[1] == known[2]


def test_members_of_a_dead_worker_vanish_and_its_successor_knows_the_others(node):
    node.run(0, f'other("group.join([[g]]) {STAYS}")')
    node.run(1, f'other("group.join([[g]]) group.join([[g]]) {STAYS}")')
    node.wait_run(2, 'return #group.members("g")', [3])
    node.run(2, 'local p = spawn("local group = require [[fsd.group]] local ref = group.monitor([[g]]) local m = receive() gate([[left]]):put(m)")')
    node.kill(1)
    assert node.run(2, 'local m = gate("left"):get() return m[3], m[4], #m[5], #group.members("g")') == ["leave", "g", 2, 1]
    node.wait_run(0, 'return #group.members("g")', [1])
    node.wait_run(1, 'return #group.members("g"), #group.local_members("g")', [1, 0])


def test_a_worker_that_stood_still_hears_how_things_are(node):
    pid = node.row(1)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        found = node.run(0, f'local last for i = 1, 1000 do local p = other("group.join([[h]]) {STAYS}") actor.monitor(p) fsd.task.sleep(0) if i < 1000 then exit(p, "kill") receive() else last = p end end '
                            'while #group.members("h") == 0 do fsd.task.sleep(0.001) end return tostring(last), #group.members("h")')
        node.wait_run(2, 'return tostring(group.members("h")[1]), #group.members("h")', found)
    finally:
        os.kill(pid, signal.SIGCONT)
    node.wait_run(1, 'return tostring(group.members("h")[1]), #group.members("h")', found)


def test_a_link_that_is_lost_takes_members_away_until_there_is_another(node):
    for slot in (0, 1):
        node.run(slot, f'other("group.join([[g]]) fsd.pubsub.subscribe([[t]]) {STAYS}")')
    for slot in (0, 1):
        node.wait_run(slot, 'return #group.members("g"), select(3, pubsub.publish("t", 0))', [2, 1, 0])
    node.run(0, 'local p = spawn("local group = require [[fsd.group]] group.monitor([[g]]) for i = 1, 2 do gate([[changes]]):put(receive()[3]) end")')
    assert reset_links(node.row(0)["pid"], node.row(1)["pid"]) == 1
    assert node.run(0, 'return gate("changes"):get(), gate("changes"):get()') == ["leave", "join"]
    for slot in (0, 1):
        node.wait_run(slot, 'return #group.members("g"), select(3, pubsub.publish("t", 0))', [2, 1, 0])
    node.wait_run(2, 'return #group.members("g")', [2])


def test_groups_agree_after_churn_and_deaths(node):
    churn = ('for i = 1, 20 do other("for n = 1, 60 do local g = [[c]] .. n %% 3 group.join(g) if n %% 2 == 0 then group.leave(g) end fsd.task.sleep(0) end '
             'if args[1] %% 2 == 0 then fsd.task.sleep(600) end", nil, i) end').replace("%%", "%")
    for slot in range(3):
        node.run(slot, churn)
    node.kill(1)
    node.run(1, churn)
    def members(slot, kind):
        """Of the three groups, as texts; an empty table is {} in JSON."""
        return [list(found) for found in node.run(slot, f'local t = {{}} for i = 0, 2 do t[i + 1] = names(group.{kind}("c" .. i)) end return t')[0]]

    def agree():
        here = [members(slot, "local_members") for slot in range(3)]
        everybody = [sorted(sum(lists, [])) for lists in zip(*here)]
        return len(everybody[0]) >= 3 * 10 and all(members(slot, "members") == everybody for slot in range(3))

    wait_for(agree, "the same members everywhere")


SUBSCRIBER = '''
local pubsub, gate = require "fsd.pubsub", require "gate"
pubsub.subscribe("t:*")
gate("subscribed"):put(1)
local last = 0
while last < 500 do
  local n = receive()
  if n > 0 then
    if n ~= last + 1 then break end
    last = n
  end
end
gate("last"):put(last)
'''.replace("\n", " ")


def test_what_is_published_reaches_the_subscribers_of_all_workers_once_and_in_order(node):
    for slot in range(3):
        assert node.run(slot, f"for i = 1, 2 do spawn([==[{SUBSCRIBER}]==]) gate('subscribed'):get() end return 1") == [1]
    node.wait_run(0, 'return pubsub.publish("t:1", 0)', [2, 0, 2, 0])
    publish = 'local counts = {0, 0, 0, 0} for n = 1, 500 do for i, count in ipairs {pubsub.publish("t:1", n)} do counts[i] = counts[i] + count end end return counts'
    assert node.run(0, publish) == [[1000, 0, 1000, 0]]
    for slot in range(3):
        assert node.run(slot, 'return gate("last"):get(), gate("last"):get()') == [500, 500]


def test_a_flood_on_a_topic_is_cut_in_its_order_and_holds_up_no_membership(node):
    node.run(1, 'other("group.join([[wants]]) pubsub.subscribe([[f]]) local last, is_in_order = 0, true while true do local m = receive() if m == [[end]] then break end '
                'is_in_order = is_in_order and m >= last last = m end gate([[f]]):put(is_in_order)")')
    node.wait_run(0, 'return pubsub.publish("f", 0)', [0, 0, 1, 0])
    found = node.run(0, 'local all, taken = 0, 0 for n = 1, 20000 do local _, _, reached, missed = pubsub.publish("f", n) all, taken = all + reached + missed, taken + reached end '
                        f'other("group.join([[after]]) {STAYS}") send(group.members("wants")[1], "end") return all, taken > 0')
    assert found == [20000, True]
    node.wait_run(1, 'return #group.members("after")', [1])
    assert node.run(1, 'return gate("f"):get()') == [True]


def test_what_nobody_wants_goes_nowhere(node):
    node.run(1, f'other("pubsub.subscribe([[a]]) {STAYS}", {{name = "wants"}})')
    node.wait_run(0, 'return pubsub.publish("a", 0)', [0, 0, 1, 0])
    assert node.run(0, 'return {pubsub.publish("b", 0)}, {pubsub.local_publish("a", 0)}') == [[0, 0, 0, 0], [0, 0]]
    node.run(1, 'exit(actor.whereis("wants"), "kill")')
    node.wait_run(0, 'return pubsub.publish("a", 0)', [0, 0, 0, 0])


def test_actors_run_where_they_are_told(node):
    text = 'local p = worker.spawn("do", {{text = "send(args[1], fsd.worker.self().slot)", args = {{self()}}}}, {{on = {on}}}) return receive()'
    for slot in range(3):
        assert node.run(0, text.format(on=slot)) == [slot]
        assert node.run(1, text.format(on=f"worker.list()[{slot + 1}]")) == [slot]
    assert sorted(node.run(2, text.format(on='"any"'))[0] for _ in range(6)) == [0, 0, 1, 1, 2, 2]
    assert node.run(2, 'local p = actor.spawn("do", {text = "send(args[1], fsd.worker.self().slot)", args = {self()}}, {on = 1}) return receive()') == [1]


def test_the_options_of_spawn_hold_elsewhere(node):
    assert node.run(0, f'local p = spawn("{STAYS}", {{on = 1, name = "n", mailbox = 5}}) return try(spawn, "", {{on = 1, name = "n"}})')[0].startswith("exists: ")
    assert node.run(1, 'local i = actor.info("n") return i.module, i.mailbox') == ["do", 5]
    assert "bad option" in node.run(0, 'return try(spawn, "", {on = 1, mailbox = 0})')[0]


def test_links_hold_from_the_beginning(node):
    text = 'actor.trap_exit(true) local p = actor.spawn_link("do", {{text = "{text}"}}, {{on = 1}}) local m = receive() return m[1], m[2] == p, m[3]'
    assert node.run(0, text.format(text="exit([[early]])")) == ["$exit", True, "early"]
    assert node.run(0, text.format(text="local x = nil + 1").replace("m[3]", "m[3].message ~= nil")) == ["$exit", True, True]
    assert node.run(0, 'local p = spawn("spawn([[gate(\'w\'):put(1) fsd.task.sleep(600)]], {on = 1, link = true, name = [[linked]]}) exit([[over]])") return wait_end(p)') == ["over"]
    node.wait_run(1, 'return actor.whereis("linked") == nil', [True])


def test_names_of_all_workers_can_be_given_elsewhere(node):
    options = '{on = 1, name = "all", scope = "node"}'
    pid = node.run(0, f'return tostring(spawn("{STAYS}", {options}))')
    node.wait_run(2, 'return tostring(actor.whereis("all"))', pid)
    assert node.run(0, f'return try(spawn, "", {options})')[0].startswith("exists: ")
    assert node.run(1, 'return #actor.list { module = "do" }') == [2]  # that one and this one
    node.run(2, 'exit(actor.whereis("all"), "kill")')
    text = 'actor.trap_exit(true) local p = actor.spawn_link("do", {text = "exit([[early]])"}, {on = 1, name = "brief", scope = "node"}) local m = receive() return m[2] == p, m[3]'
    for _ in range(20):
        node.wait_run(0, 'return actor.whereis("brief") == nil', [True])
        assert node.run(0, text) == [True, "early"]


def test_monitors_tell_the_end(node):
    text = 'local p, ref = actor.spawn_monitor("do", {{text = "{text}"}}, {{on = 1}}) {then} local m = receive() return m[1], m[2] == ref, m[3] == p, m[4]'
    assert node.run(0, text.format(text=STAYS, then='exit(p, "told")')) == ["$down", True, True, "told"]
    assert node.run(0, text.format(text="", then=""))[:3] == ["$down", True, True]


def test_a_worker_that_dies_is_no_place_to_spawn(node):
    node.run(0, "return 1")
    before = node.row(1)["pid"]
    os.kill(before, signal.SIGSTOP)
    found = []
    asking = threading.Thread(target=lambda: found.append(node.run(0, 'local q = self() spawn("send(args[1], 1)", nil, q) receive() gate("asking"):put(1) return try(spawn, "", {on = 1})')))
    asking.start()
    os.kill(before, signal.SIGKILL)
    asking.join(20)
    assert found[0][0].startswith("noconnection: "), found
