"""Names that one actor in all workers has."""
import concurrent.futures
import os
import signal

import pytest
from node_app import NODE_FILES, NodeApp
from service import wait_for

# An actor that has a name, until it is told to end.
START = '''local pid = spawn("receive()", {name="%s", scope="node"}) return tostring(pid)'''
WHERE = 'local pid = actor.whereis("%s") return pid and tostring(pid) or "nobody"'


@pytest.fixture
def nodes(make_service):
    service = make_service(NODE_FILES, 3)
    service.write_conf()
    return NodeApp(service.start_ready())


def test_a_name_is_known_in_all_workers_until_its_actor_ends(nodes):
    pid = nodes.run(1, START % "x")[0]
    assert nodes.run(1, WHERE % "x") == [pid]
    for slot in (0, 2):
        nodes.wait(slot, WHERE % "x", [pid])
    assert nodes.run(1, 'return actor.info("x").name, actor.registered()["x"] == nil, actor.registered{scope="node"}["x"] == actor.whereis("x")') == ["x", True, True]
    assert nodes.run(1, 'exit(actor.whereis("x"), "kill") return actor.whereis("x") == nil') == [True]
    for slot in (0, 2):
        nodes.wait(slot, WHERE % "x", ["nobody"])


def test_a_name_is_as_good_as_a_pid_in_another_worker(nodes):
    pid = nodes.run(1, START % "other")[0]
    nodes.wait(0, WHERE % "other", [pid])
    nodes.run(1, """
      spawn([[while true do local m, from, kind = receive() if kind == "call" then actor.reply(from, m + 1) else exit(m) end end]],
        {name="x", scope="node"})""")
    nodes.wait(2, 'return actor.whereis "x" ~= nil', [True])
    assert nodes.run(2, """
      local ref = actor.monitor "x"
      local answer = call("x", 41)
      send("x", "over")
      local m = receive()
      return answer, m[1], m[3], m[4]""") == [42, "$down", "x", "over"]
    nodes.wait(2, 'return actor.whereis "x" == nil', [True])
    assert nodes.run(2, 'return try(send, "x", 1)') == ['noproc: cannot reach "x": no actor has the name']


def test_an_actor_can_be_started_elsewhere_with_its_name(nodes):
    assert nodes.run(0, """
      local pid, err = actor.spawn("do", {text = "receive()"}, {on = 2, name = "x", scope = "node"})
      return try(actor.spawn, "do", {text = "receive()"}, {on = 1, name = "x", scope = "node"}), tostring(pid):match "^<0%.(%d+)" ~= nil
      """) == ['exists: cannot spawn "x": another actor has the name', True]
    nodes.wait(1, 'return actor.whereis "x" ~= nil', [True])


def test_who_is_second_gets_an_error_and_leaves_nothing_behind(nodes):
    nodes.run(0, START % "x")
    assert nodes.run(1, """
      local before = #actor.list()
      local first = try(spawn, "receive()", {name="x", scope="node"})
      local second = try(actor.register, "x", {scope="node"})
      return first, second, #actor.list() - before, try(actor.register, "y", {scope="node"}) == nil""") == [
          'exists: cannot spawn "x": another actor has the name', 'exists: cannot register "x": another actor has the name', 0, True]


def test_a_worker_s_own_name_comes_before_one_of_all(nodes):
    pid = nodes.run(0, START % "x")[0]
    nodes.wait(1, WHERE % "x", [pid])
    assert nodes.run(1, 'actor.register("x") return actor.whereis("x") == self()') == [True]
    assert nodes.run(1, WHERE % "x") == [pid]


def test_a_name_that_is_given_back_is_free_at_once_for_the_worker_itself(nodes):
    assert nodes.run(1, """
      local seen = {}
      for i = 1, 50 do
        actor.register("x", {scope="node"})
        seen[#seen + 1] = actor.whereis("x") == self() or nil
        actor.unregister("x")
        seen[#seen + 1] = actor.whereis("x") == nil or nil
      end
      return #seen""") == [100]


def test_only_its_own_worker_gives_a_name_back(nodes):
    pid = nodes.run(0, START % "x")[0]
    nodes.wait(1, WHERE % "x", [pid])
    assert nodes.run(1, 'return try(actor.unregister, "x")') == ['elsewhere: cannot unregister "x": an actor of another worker has the name']
    assert nodes.run(0, 'actor.unregister("x") return try(actor.unregister, "x") == nil, actor.whereis("x") == nil') == [True, True]
    nodes.wait(1, WHERE % "x", ["nobody"])


def test_a_race_of_all_workers_has_one_winner(nodes):
    def claim(slot):
        return nodes.run(slot, """
          local won = {}
          for i = 1, 40 do
            local err = try(spawn, "receive()", {name="race" .. i, scope="node"})
            if err == nil then won[#won + 1] = i
            elseif not err:find "^exists:" then error(err) end
          end
          return won""")[0]

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        won = list(pool.map(claim, range(3)))
    assert sorted(number for numbers in won for number in numbers) == list(range(1, 41))


def test_the_names_of_a_killed_worker_are_free(nodes):
    pid = nodes.run(1, START % "x")[0]
    nodes.wait(0, WHERE % "x", [pid])
    os.kill(nodes.service.slot(1)["pid"], signal.SIGKILL)
    nodes.wait(0, WHERE % "x", ["nobody"])
    other = nodes.run(0, START % "x")[0]
    nodes.service.wait_workers(lambda rows: [row["state"] for row in rows] == ["ready"] * 3, "a successor")
    nodes.wait(1, WHERE % "x", [other])


def test_a_reload_frees_names_and_new_workers_know_those_that_are_held(nodes):
    pid = nodes.run(0, START % "x")[0]
    os.kill(nodes.service.slot(2)["pid"], signal.SIGKILL)
    nodes.service.wait_workers(lambda rows: [row["restarts"] for row in rows] == [0, 0, 1], "a successor")
    assert nodes.run(2, WHERE % "x") == [pid]
    nodes.service.call("reload", restart=True)
    nodes.wait(2, WHERE % "x", ["nobody"])


def test_an_upgrade_keeps_names(nodes):
    pid = nodes.run(1, START % "x")[0]
    nodes.service.call("upgrade")
    for slot in range(3):
        nodes.wait(slot, WHERE % "x", [pid])
    assert nodes.run(0, 'return (try(actor.register, "x", {scope="node"}))')[0].startswith("exists:")
    os.kill(nodes.service.slot(1)["pid"], signal.SIGKILL)
    nodes.wait(0, WHERE % "x", ["nobody"])
    nodes.run(0, 'actor.register("x", {scope="node"})')


def test_more_names_than_there_may_be_are_refused_and_none_is_missed(nodes):
    """4096 of them, asked for at once: the others hear of all."""
    assert nodes.run(1, """
      local why = {}
      local body = [[
        local err = try(actor.register, args[1], {scope="node"})
        actor.send(args[2], err or "ok")
        receive(function(m) return m == "end" end)]]
      for i = 1, 5000 do spawn(body, nil, "name" .. i, self()) end
      for i = 1, 5000 do
        local word = receive(20):match "^%w+"
        why[word] = (why[word] or 0) + 1
      end
      return why""") == [{"ok": 4096, "overload": 904}]
    for slot in range(3):
        nodes.wait(slot, 'local n = 0 for _ in pairs(actor.registered{scope="node"}) do n = n + 1 end return n', [4096])
    os.kill(nodes.service.slot(1)["pid"], signal.SIGKILL)
    for slot in (0, 2):
        nodes.wait(slot, 'return next(actor.registered{scope="node"}) == nil', [True])


def test_a_worker_that_stood_still_knows_all_names_when_it_goes_on(nodes):
    """So many that its channel would be full."""
    stopped = nodes.service.slot(2)["pid"]
    with nodes.stay(1) as run:
        os.kill(stopped, signal.SIGSTOP)
        try:
            run("""
              for i = 1, 1000 do spawn("receive()", {name="name" .. i, scope="node"}) end
              for i = 1, 500 do actor.unregister("name" .. i) end""")
        finally:
            os.kill(stopped, signal.SIGCONT)
    nodes.wait(2, 'local n = 0 for _ in pairs(actor.registered{scope="node"}) do n = n + 1 end return n', [500])
    assert nodes.run(2, 'return actor.whereis("name500") == nil, actor.whereis("name501") ~= nil') == [True, True]
    assert nodes.service.slot(2)["pid"] == stopped


def test_what_is_wrong_is_said(nodes):
    assert nodes.run(0, """
      return try(actor.register, "x", {scope="all"}), try(actor.register, "x", {colour=1}), try(spawn, "", {scope="node"}),
        try(actor.register, "", {scope="node"})""") == [
            'error: bad option "scope": "worker" or "node" expected', 'error: unknown option "colour"',
            'error: scope "node" is of a name, and there is none', "error: bad name: a string of 1 to 255 bytes expected"]
    assert nodes.run(0, """
      actor.register("one", {scope="node"})
      return try(actor.register, "two", {scope="node"}), actor.whereis("two") == nil""") == [
          'error: cannot register for all workers: the actor has "one" there already', True]


def test_waiting_for_a_name_ends_with_the_actor_that_has_it(nodes):
    wait = """
      local pid = spawn([[core = require "fsd.actor.core" core.claim("job") local m = receive() receive()]])
      return tostring(pid)"""
    first = nodes.run(0, wait)[0]
    nodes.wait(0, WHERE % "job", [first])
    second = nodes.run(1, wait)[0]
    third = nodes.run(2, wait)[0]
    assert nodes.run(1, WHERE % "job") == [first]
    os.kill(nodes.service.slot(0)["pid"], signal.SIGKILL)
    wait_for(lambda: nodes.run(1, WHERE % "job")[0] in (second, third), "another holder")
    assert nodes.run(2, WHERE % "job") == nodes.run(1, WHERE % "job")
