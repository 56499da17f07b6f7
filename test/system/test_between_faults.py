"""Actors of different workers, when a worker or the link to it breaks: who is told, once, and how it goes on."""
import collections
import contextlib
import os
import random
import signal

import pytest
from fleet import Fleet, fleet_of, memory_of
from fsd_process import wait_for
from link_faults import reset_links, write_to_links
from service import IS_SANITIZED

# Collects what it gets until it is asked: signals as text, since pids have no JSON.  Ends when its own worker does.
COLLECT = '''actor.trap_exit(true) local got = {{}} {setup}
while true do local m, from, kind = receive()
if kind == "call" then actor.reply(from, json.array(got))
elseif kind == "system" then if m[2] == core.worker_pid() then return end got[#got + 1] = m[1] .. " " .. tostring(m[#m])
else got[#got + 1] = m end end'''


def collector(name, setup, options=""):
    """Lua that starts a collector of that name, and waits until its setup is done."""
    text = COLLECT.format(setup=setup).replace("\n", " ")
    return f'local c = spawn([==[{text}]==], {{name = "{name}"}} {options}) call(c, "report", 50) return true'


SLEEPER = '(worker.spawn("do", {{text = "fsd.task.sleep(600)"}}, {{on = {slot}}}))'


@pytest.fixture
def fleet(make_service):
    service = make_service(app=Fleet.FILES, workers=3)
    service.write_conf(log_format="json")
    with fleet_of(service.start_ready()) as one:
        yield one


def watch_all(slot, kinds=("monitor", "link"), count=1):
    """A setup that monitors and links actors of another worker."""
    words = [f"actor.{kind}({SLEEPER.format(slot=slot)})" for kind in kinds]
    return f"for i = 1, {count} do {' '.join(words)} end"


def stay_quiet(fleet, slot, name, count):
    """Nothing comes behind what has come, when others have said all that they had to say."""
    for other in range(fleet.size):
        if other != slot:
            fleet.talk(slot, other)
    assert len(fleet.run(slot, f'return call("{name}", "report")')[0]) == count


ANSWERS = """local ps, n, at = {{}}, 0, fsd.now() + 1
for i = 1, {count} do ps[i] = worker.spawn("do", {{text = [[local m, from = receive() fsd.task.sleep(m - fsd.now()) actor.reply(from, ("x"):rep(1000000))]]}}, {{on = 1}}) end
for i = 1, {count} do spawn([[send(args[1], try(call, args[2], args[3], 30) or "answered")]], nil, self(), ps[i], at) end
for i = 1, {count} do if receive(nil, 30) == "answered" then n = n + 1 end end return n"""


def test_many_long_answers_at_a_time_do_not_break_a_link(fleet):
    count = 20 if IS_SANITIZED else 100
    assert fleet.run(0, ANSWERS.format(count=count).replace("\n", " ")) == [count]


@pytest.mark.basic
def test_a_killed_worker_is_told_once_for_each_link_and_monitor(fleet):
    fleet.run(0, collector("watcher", watch_all(1, count=50)))
    fleet.end(1, signal.SIGKILL)
    assert sorted(fleet.wait_report(0, "watcher", 100)) == ["$down noconnection"] * 50 + ["$exit noconnection"] * 50
    stay_quiet(fleet, 0, "watcher", 100)


def test_a_broken_link_is_told_once_at_both_ends_which_then_talk_again(fleet):
    fleet.run(0, collector("watcher", watch_all(1, count=20)))
    fleet.run(1, collector("watcher", watch_all(0, count=20)))
    assert reset_links(fleet.pids[0], fleet.pids[1]) == 1
    for slot in (0, 1):
        assert sorted(fleet.wait_report(slot, "watcher", 40)) == ["$down noconnection"] * 20 + ["$exit noconnection"] * 20
    fleet.talk(0, 1)
    fleet.talk(1, 0)
    assert len(fleet.links(0, 1)) == 1
    for slot in (0, 1):
        stay_quiet(fleet, slot, "watcher", 40)


COUNT_QUEUED = """local sum = 0 for _, pid in ipairs(actor.list{module = "do"}) do
local info = actor.info(pid) sum = sum + (info and info.messages or 0) end return sum""".replace("\n", " ")


def test_pending_calls_fail_when_the_worker_or_the_link_ends(fleet):
    setup = (f'local p = {SLEEPER.format(slot=1)} for i = 1, 30 do spawn("send(args[1], try(call, args[2], 1, 60))", nil, self(), p) end')
    for queued, end in ((30, lambda: reset_links(fleet.pids[0], fleet.pids[1])), (60, lambda: fleet.end(1, signal.SIGKILL))):
        fleet.run(0, collector("caller", setup))
        wait_for(lambda queued=queued: fleet.run(1, COUNT_QUEUED) == [queued], "the calls to be there")
        end()
        assert fleet.wait_report(0, "caller", 30) == ["noconnection: cannot call: the actor's worker is gone"] * 30
        fleet.run(0, 'local w = actor.whereis("caller") exit(w, "kill") return wait_end(w)')


def test_senders_that_wait_for_room_go_on_when_the_worker_or_the_link_ends(fleet):
    filler = 'repeat local ok = actor.try_send(p, ("x"):rep(100000)) until not ok'
    setup = f'local p = {SLEEPER.format(slot=1)} {filler} for i = 1, 10 do spawn("send(args[1], try(send, args[2], 1, 60) or [[went on]])", nil, self(), p) end'
    for end in (lambda: reset_links(fleet.pids[0], fleet.pids[1]), lambda: fleet.end(1, signal.SIGKILL)):
        fleet.run(0, collector("sender", setup))
        end()
        assert fleet.wait_report(0, "sender", 10) == ["went on"] * 10
        fleet.run(0, 'local w = actor.whereis("sender") exit(w, "kill") return wait_end(w)')


KEEPER = """local kept = {sleeper} while true do local what, from = receive()
actor.reply(from, {{load("local actor, kept, try = ... return " .. what)(actor, kept, try)}}) end"""


def test_what_is_sent_to_a_dead_worker_is_lost_and_its_successor_is_another_one(fleet):
    text = KEEPER.format(sleeper=SLEEPER.format(slot=1)).replace("\n", " ")
    fleet.run(0, f'return call(spawn([==[{text}]==], {{name = "keeper"}}), "kept ~= nil")')
    fleet.end(1, signal.SIGKILL)
    asked = ["try(actor.send, kept, 1) == nil", "actor.try_send(kept, 1)", "try(actor.call, kept, 1)"]
    assert [fleet.run(0, f'return call("keeper", "{what}")')[0] for what in asked] == [
        [True], [False, "noconnection"], ["noconnection: cannot call: the actor's worker is gone"]]
    fleet.talk(0, 1)


def test_a_group_loses_the_members_of_a_dead_worker_and_gets_those_of_its_successor(fleet):
    join = 'spawn([[require "fsd.group".join("all") receive()]]) return true'
    count = 'return #require "fsd.group".members("all")'
    for slot in range(fleet.size):
        fleet.run(slot, join)
    for slot in range(fleet.size):
        wait_for(lambda slot=slot: fleet.run(slot, count) == [3], "three members")
    fleet.end(1, signal.SIGKILL)
    for slot in range(fleet.size):
        wait_for(lambda slot=slot: fleet.run(slot, count) == [2], "two members")
    fleet.run(1, join)
    for slot in range(fleet.size):
        wait_for(lambda slot=slot: fleet.run(slot, count) == [3], "three members")


def test_a_group_is_whole_again_after_a_link_was_broken(fleet):
    for slot in range(fleet.size):
        fleet.run(slot, 'spawn([[require "fsd.group".join("all") receive()]]) return true')
    fleet.talk(0, 1)
    count = 'return #require "fsd.group".members("all")'
    wait_for(lambda: fleet.run(0, count) == [3], "three members")
    assert reset_links(fleet.pids[0], fleet.pids[1]) == 1
    for slot in range(fleet.size):
        wait_for(lambda slot=slot: fleet.run(slot, count) == [3], "three members")


# A signal tells it to take some: that needs no room.
SLOW = """actor.trap_exit(true) while receive(function(m) return type(m) == "table" end)[3] == "go" do
for i = 1, 200 do receive(function(m) return m == 1 end) end send(args[1], "taken") end"""
FILL = f"""local p = worker.spawn("do", {{text = [[{SLOW}]], args = {{self()}}}}, {{on = 1, mailbox = 1}})
while true do local what, from = receive()
if what == "take" then exit(p, "go") receive(function(m) return m == "taken" end, 30) end
local n = 0 while actor.try_send(p, 1) do n = n + 1 end actor.reply(from, n) end"""


def test_what_came_by_a_broken_link_makes_no_room_on_the_next_one(fleet):
    """A receiver that is full, twice: what it then takes of the first lot is not what its sender has on its way."""
    text = FILL.replace("\n", " ")
    assert fleet.run(0, f'return call(spawn([==[{text}]==], {{name = "filler"}}), "fill") > 500') == [True]
    assert reset_links(fleet.pids[0], fleet.pids[1]) == 1
    wait_for(lambda: fleet.run(0, 'return call("filler", "fill")')[0] > 500, "room on a new link")
    assert fleet.run(0, 'return call("filler", "take", 30)') == [0]


# --- nonsense ---

FRAMES = [
    ("no_such_kind", b"\x05\x00\x00\x00\xff1234"),
    ("an_empty_frame", b"\x00\x00\x00\x00"),
    ("longer_than_any", b"\xff\xff\xff\xff"),
    ("no_message_in_it", b"\x0d\x00\x00\x00\x01" + bytes(12)),
    ("a_message_that_is_none", b"\x0e\x00\x00\x00\x01" + bytes(12) + b"\xc1"),
]


@pytest.mark.parametrize("data", [row[1] for row in FRAMES], ids=[row[0] for row in FRAMES])
def test_nonsense_on_a_link_ends_the_link_and_nothing_else(fleet, data):
    fleet.run(0, collector("watcher", watch_all(1)))
    fleet.run(1, collector("watcher", watch_all(0)))
    before = dict(fleet.pids)
    assert write_to_links(fleet.pids[0], fleet.pids[1], data) == len(data)
    for slot in (0, 1):
        assert sorted(fleet.wait_report(slot, "watcher", 2)) == ["$down noconnection", "$exit noconnection"]
    fleet.talk(0, 1)
    fleet.talk(1, 0)
    assert {row["pid"] for row in fleet.service.workers("ready")} == set(before.values())


def mutate(choose, frames):
    """Bytes that are nearly what workers say: whole frames, some of whose bytes are others."""
    data = bytearray()
    for frame in choose.choices(frames, k=choose.randrange(1, 6)):
        frame = bytearray(frame)
        for _ in range(choose.randrange(3)):
            frame[choose.randrange(len(frame))] = choose.randrange(256)
        data += len(frame).to_bytes(4, "little") + frame
    if choose.random() < 0.3:
        data += choose.randbytes(choose.randrange(1, 40))
    return bytes(data)


def does_answer(fleet, slot):
    """What still comes may end the actor that shall answer, too."""
    with contextlib.suppress(AssertionError):
        return fleet.run(slot, "return 1") == [1]
    return False


def test_whatever_comes_by_a_link_workers_live(fleet):
    """Frames of all kinds, for actors that are there and that are not."""
    seed = 20261122
    choose = random.Random(seed)
    print("seed", seed)
    actors = [index.to_bytes(4, "little") + serial.to_bytes(8, "little") for index in range(12) for serial in (index, index + 1)]
    numbers = [number.to_bytes(8, "little") for number in (0, 1, 2, 3, 1 << 20, (1 << 64) - 1)]
    values = [b"\xc0", b"\xa1x", b"\x93\x01\x02\x03", b"\x81\xa1a\x01", b"\xa4kill", b"\xa4exitd\xc0", b"\xa4exit\xc0", b"\xc7\x01\x03\x00", b"\xda\x00\x10" + b"y" * 16]
    shapes = {1: "tp", 2: "tp", 3: "trp", 4: "rp", 5: "rp", 6: "tfp", 7: "tf", 8: "tf", 9: "tfp", 10: "tfr", 11: "tfr", 12: "tfrp", 13: "tr", 14: "fr"}
    parts = {"t": actors, "f": actors, "r": numbers, "p": values}
    frames = [bytes([kind]) + b"".join(choose.choice(parts[part]) for part in shape) for kind, shape in shapes.items() for _ in range(20)]
    before = dict(fleet.pids)
    for _ in range(60 if IS_SANITIZED else 200):
        if not fleet.links(0, 1):
            fleet.run(0, "actor.monitor(others()[1].pid) return true")  # the other one need not answer: its server may have been killed
            wait_for(lambda: fleet.links(0, 1), "a link")
        with contextlib.suppress(OSError):
            write_to_links(fleet.pids[0], fleet.pids[1], mutate(choose, frames))
    wait_for(lambda: does_answer(fleet, 1), "an answer")
    assert {row["pid"] for row in fleet.service.workers("ready")} == set(before.values()), fleet.service.log()[-3000:]


# --- in order ---

def test_a_worker_that_leaves_says_how_its_actors_have_ended(fleet):
    fleet.run(0, collector("watcher", watch_all(1, count=20)))
    old = fleet.pids[1]
    fleet.drop(1)
    os.kill(old, signal.SIGTERM)
    assert sorted(fleet.wait_report(0, "watcher", 40)) == ["$down shutdown"] * 20 + ["$exit shutdown"] * 20
    fleet.wait_successor(1, old)
    stay_quiet(fleet, 0, "watcher", 40)


TALK = """while true do local ok, p = pcall(worker.spawn, "do", {{text = "while true do local m, from = receive() if from then actor.reply(from, m) end end", args = {{}}}},
{{on = {slot}}}) if ok then actor.monitor(p) repeat send(p, 1) until try(call, p, 1, 20) or receive(nil, 0.001) end end"""


def test_workers_whose_actors_talk_are_restarted_one_after_the_other(fleet):
    for slot in range(fleet.size):
        text = TALK.format(slot=(slot + 1) % fleet.size).replace("\n", " ")
        fleet.run(slot, f"for i = 1, 5 do spawn([==[{text}]==]) end return true")
    old = dict(fleet.pids)
    for slot in old:
        fleet.drop(slot)
    done = fleet.service.ctl("restart", "web")
    assert done.returncode == 0, done.stderr
    fleet.meet()
    assert not set(old.values()) & set(fleet.pids.values())
    assert [record for record in fleet.service.records() if record["level"] == "error"] == []


def test_a_worker_that_is_scaled_away_says_shutdown(fleet):
    fleet.run(0, collector("watcher", watch_all(2, count=5)))
    fleet.drop(2)
    done = fleet.service.ctl("scale", "web", "2")
    assert done.returncode == 0, done.stderr
    assert sorted(fleet.wait_report(0, "watcher", 10)) == ["$down shutdown"] * 5 + ["$exit shutdown"] * 5
    wait_for(lambda: fleet.run(0, "return #core.members()") == [1], "one other worker")


def test_new_code_comes_with_new_workers_and_the_old_ones_say_shutdown(fleet):
    old = dict(fleet.pids)
    fleet.run(0, collector("watcher", watch_all(1, count=5)))
    fleet.drop(1)
    fleet.drop(2)
    done = fleet.service.ctl("reload", "--restart")
    assert done.returncode == 0, done.stderr
    fleet.drop(0)
    fleet.meet()
    assert not set(old.values()) & set(fleet.pids.values())
    for one in range(fleet.size):
        fleet.talk(one, (one + 1) % fleet.size)
    assert [record for record in fleet.service.records() if record["level"] == "error"] == []


def test_links_outlive_an_upgrade_of_the_master_which_makes_others(fleet):
    fleet.run(0, collector("watcher", watch_all(1, kinds=("monitor",), count=5)))
    fleet.service.call("upgrade")
    stay_quiet(fleet, 0, "watcher", 0)
    assert reset_links(fleet.pids[0], fleet.pids[1]) == 1
    assert fleet.wait_report(0, "watcher", 5) == ["$down noconnection"] * 5
    fleet.talk(1, 0)
    fleet.end(1, signal.SIGKILL)
    fleet.talk(0, 1)


SUM = "local sum = 0 while true do local m, from = receive() if from then actor.reply(from, sum) return end sum = sum + m end"
ADD = f"""local p = worker.spawn("do", {{text = "{SUM}"}}, {{on = 1}}) for i = 1, 1000 do send(p, i) end send(args[1], call(p, "sum", 30))"""


def test_what_is_said_while_the_master_stands_still_waits_for_the_link(fleet):
    fleet.run(0, collector("waiter", ""))
    fleet.talk(0, 1)
    fleet.service.signal(signal.SIGSTOP)
    try:
        assert reset_links(fleet.pids[0], fleet.pids[1]) == 1
        fleet.run(0, f'spawn([==[{ADD}]==], nil, actor.whereis("waiter")) return true')
        assert fleet.run(0, 'return #call("waiter", "report")') == [0]
    finally:
        fleet.service.signal(signal.SIGCONT)
    assert fleet.wait_report(0, "waiter", 1) == [500500]


def test_all_other_workers_may_be_killed_at_once(fleet):
    fleet.run(0, collector("watcher", watch_all(1, count=10) + " " + watch_all(2, count=10)))
    for slot in (1, 2):
        old = fleet.pids[slot]
        fleet.drop(slot)
        os.kill(old, signal.SIGKILL)
    assert sorted(fleet.wait_report(0, "watcher", 40)) == ["$down noconnection"] * 20 + ["$exit noconnection"] * 20
    fleet.meet()
    stay_quiet(fleet, 0, "watcher", 40)


def test_a_worker_that_is_killed_while_others_reach_for_it_is_told_too(fleet):
    """No link is there yet when it dies: what waits for one is told by the master's word."""
    for _ in range(3):
        fleet.run(0, collector("watcher", ""))
        asked = ('spawn("actor.monitor(args[2]) local m = receive(nil, 30) send(args[1], m and m[4] or [[nothing]])", nil, actor.whereis("watcher"), others()[1].pid) '
                 'return true')
        old = fleet.pids[1]
        reset_links(fleet.pids[0], old)
        fleet.drop(1)
        os.kill(old, signal.SIGSTOP)  # so that it takes no link
        fleet.run(0, asked)
        os.kill(old, signal.SIGKILL)
        assert fleet.wait_report(0, "watcher", 1) == ["noconnection"]
        fleet.run(0, 'local w = actor.whereis("watcher") exit(w, "kill") return wait_end(w)')
        fleet.wait_successor(1, old)


# --- many ---

MANY = """local pids = call(worker.spawn("do", {{text = "local pids = {{}} for i = 1, {count} do pids[i] = spawn([[receive()]]) end actor.reply(select(2, receive()), pids)"}},
{{on = 1}}), 1)"""
BOUND = """for i = 1, {count} do spawn([[actor.trap_exit(true) if args[3] % 2 == 0 then actor.link(args[2]) else actor.monitor(args[2]) end
send(args[1], "bound") local m = receive() if m[2] ~= core.worker_pid() then send(args[1], m[1] .. " " .. tostring(m[#m])) end]], nil, self(), pids[i], i) end
for i = 1, {count} do receive(function(m) return m == "bound" end) end"""


@pytest.mark.parametrize("number, word", [(signal.SIGKILL, "noconnection"), (signal.SIGTERM, "shutdown")], ids=["killed", "told to leave"])
def test_ten_thousand_bonds_end_with_their_worker(fleet, number, word):
    count = 1000 if IS_SANITIZED else 10000
    fleet.run(0, collector("watcher", f"{MANY} {BOUND}".format(count=count)))
    fleet.talk(0, 1)  # by the way that the bonds went: now they are there as well
    fleet.end(1, number)
    found = fleet.wait_report(0, "watcher", count, 30)
    assert collections.Counter(found) == {f"$down {word}": count // 2, f"$exit {word}": count // 2}


def test_one_actor_may_watch_ten_thousand_of_another_worker(fleet):
    count = 1000 if IS_SANITIZED else 10000
    setup = f'{MANY} for i = 1, {count} do actor.monitor(pids[i]) end for i = 1, {count} do exit(pids[i], "done") end'.format(count=count)
    fleet.run(0, collector("watcher", setup))
    found = fleet.wait_report(0, "watcher", count, 30)
    assert found == ["$down done"] * count


STUBBORN = """for i = 1, 20 do local p = {sleeper} actor.monitor(p)
spawn([[for n = 1, 1000 do try(send, args[2], ("x"):rep(100000), 60) end send(args[1], "through")]], nil, self(), p) end"""


def test_a_worker_that_stands_still_makes_senders_wait_and_is_then_ended(make_service):
    service = make_service(app=Fleet.FILES, workers=2)
    service.write_conf(log_format="json", heartbeat="3s")
    with fleet_of(service.start_ready()) as fleet:
        fleet.talk(0, 1)
        fleet.run(0, f'local p = {SLEEPER.format(slot=1)} spawn([[actor.reply(select(2, receive()), 1) receive()]], {{name = "x"}}) return true')
        before, old = memory_of(fleet.pids[0]), fleet.pids[1]
        fleet.run(0, collector("sender", STUBBORN.format(sleeper=SLEEPER.format(slot=1)).replace("\n", " ")))
        os.kill(old, signal.SIGSTOP)
        fleet.drop(1)
        busy = 'return actor.try_send(core.members()[1].pid, ("x"):rep(1000))'
        wait_for(lambda: fleet.run(0, busy) == [False, "busy"], "the link to be full")
        if not IS_SANITIZED:  # which keeps what was freed
            assert memory_of(fleet.pids[0]) - before < 32 << 20
        fleet.wait_successor(1, old)
        assert sorted(fleet.wait_report(0, "sender", 40, 30)) == ["$down noconnection"] * 20 + ["through"] * 20


CYCLES = '''local n = 0 for i = 1, {count} do
local p, r = worker.spawn("do", {{text = "local m, from = receive() actor.reply(from, m)"}}, {{on = 1, monitor = true}})
if i % 2 == 0 then actor.link(p) end
if i % 3 == 0 then actor.demonitor(r, {{flush = true}}) end
if call(p, i) == i then n = n + 1 end
if i % 3 ~= 0 then local m = receive(function(m) return m[1] == "$down" and m[2] == r end, 10) if m[4] ~= "normal" then return m[4] end end
end return n'''


def test_actors_elsewhere_leave_nothing_behind(fleet):
    count = 300 if IS_SANITIZED else 4000
    cycle = CYCLES.format(count=count).replace("\n", " ")
    collect = 'for i = 1, 3 do collectgarbage() end return true'

    def measure():
        assert fleet.run(0, cycle) == [count]
        return [fleet.run(slot, collect) and memory_of(fleet.pids[slot]) for slot in (0, 1)]

    measure()
    before = measure()
    for _ in range(5):
        after = measure()
    if not IS_SANITIZED:  # which keeps what was freed
        assert all(one - other < 1 << 20 for one, other in zip(after, before)), (before, after)


def test_questions_that_are_passed_on_leave_nothing_behind(fleet):
    count = 500 if IS_SANITIZED else 20000
    setup = ('local back = worker.spawn("do", {text = "while true do local m = receive() actor.reply(m, 1) end"}, {on = 2}) '
             'local p = worker.spawn("do", {text = "while true do local m, from = receive() send(args[1], from) end", args = {back}}, {on = 1}) ')
    fleet.run(0, f'spawn([==[{setup} local n = 0 while true do local count, from = receive() for i = 1, count do n = n + call(p, i) end actor.reply(from, n) end]==], {{name = "asker"}}) return true')
    ask = f'return call("asker", {count}, 50)'
    fleet.run(0, ask)
    before = memory_of(fleet.pids[1])
    assert fleet.run(0, ask) == [2 * count]
    if not IS_SANITIZED:
        assert memory_of(fleet.pids[1]) - before < 600 << 10
