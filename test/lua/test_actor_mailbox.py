"""fsd.actor: what becomes of messages that a mailbox has no room for, and how actors end with their worker."""
import socket
import time

import pytest

from actor_app import FILES, ActorApp
from fsd_process import wait_for


@pytest.fixture(scope="module")
def app(serve):
    return ActorApp(serve(FILES))


RUNS = [
    ("a_full_mailbox_makes_its_sender_wait",
     'local p = spawn("fsd.task.sleep(0.03) for i = 1, 5 do send(args[1], (receive())) end", {mailbox = 2}, self()) local t = fsd.now() '
     'for i = 1, 5 do send(p, i) end local waited = fsd.now() - t >= 0.02 return waited, receive(), receive(), receive(), receive(), receive()',
     [True, 1, 2, 3, 4, 5]),
    ("those_who_wait_get_in_in_their_order",
     'local p = spawn("gate([[order]]):get() for i = 1, 6 do send(args[1], (receive())) end", {mailbox = 1}, self()) '
     'for i = 1, 6 do local s = spawn("send(args[1], args[2])", nil, p, i) repeat fsd.task.sleep(0) until (actor.info(s) or {state = "waiting"}).state == "waiting" end '
     'gate([[order]]):put(1) local t = {} for i = 1, 6 do t[i] = receive() end return t', [[1, 2, 3, 4, 5, 6]]),
    ("a_wait_for_room_has_a_deadline", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 1}) send(p, 1) local e = try(send, p, 2, 0.02) '
     'local n = actor.info(p).messages exit(p, "kill") return e, n', ["overload: cannot send: the actor's mailbox was full until the deadline", 1]),
    ("a_wait_for_room_of_no_time_is_none", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 1}) send(p, 1) local e = try(send, p, 2, 0) exit(p, "kill") return e',
     ["overload: cannot send: the actor's mailbox is full"]),
    ("a_long_search_lets_others_run_and_comes_to_its_end",
     'local p = spawn("receive(function(m) return m == [[begin]] end) send(args[1], 0) send(args[1], receive(function(m) for i = 1, 4000 do end return m == [[x]] end))", nil, self()) '
     'for i = 1, 5000 do send(p, i) end send(p, "begin") send(p, "x") receive() actor.monitor(p) local n, m = 0 repeat n = n + 1 fsd.task.sleep(0) m = receive(0) until m ~= nil return m, n > 5', ["x", True]),
    ("a_call_that_finds_no_room_is_an_overload", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 1}) send(p, 1) local e = try(call, p, 2, 0.02) exit(p, "kill") return e',
     ["overload: cannot call: the actor's mailbox is full"]),
    ("a_call_waits_for_room", 'local p = spawn("fsd.task.sleep(0.02) receive() local m, from = receive() actor.reply(from, m)", {mailbox = 1}) send(p, 1) return call(p, 2)', [2]),
    ("whoever_waits_for_the_dead_goes_on", 'local p = spawn("fsd.task.sleep(0.02)", {mailbox = 1}) send(p, 1) send(p, 2) return "went on"', ["went on"]),
    ("a_call_that_waits_for_room_ends_with_the_actor", 'local p = spawn("gate([[call]]):get()", {mailbox = 1}) send(p, 1) '
     'spawn("gate([[call]]):put(1)") return try(call, p, 2):sub(1, 4)', ["exit"]),
    ("whoever_is_ended_in_the_wait_sends_nothing",
     'local p = spawn("fsd.task.sleep(0.03) for i = 1, 2 do send(args[1], (receive())) end", {mailbox = 1}, self()) send(p, 1) '
     'local s = spawn("send(args[1], [[from the dead]])", nil, p) fsd.task.sleep(0.005) exit(s, "kill") fsd.task.sleep(0) send(p, 2) return receive(), receive()', [1, 2]),
    ("ones_own_full_mailbox_raises", 'local p, r = actor.spawn_monitor("do", {text = "send(self(), 1) send(self(), 2)"}, {mailbox = 1}) local e = receive()[4] return e.code, e.message',
     ["overload", "cannot send: the actor's own mailbox is full"]),
    ("try_send_says_busy", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 1}) local a, b = {actor.try_send(p, 1)}, {actor.try_send(p, 2)} exit(p, "kill") return a, b',
     [[True], [False, "busy"]]),
    ("try_send_does_not_pass_those_who_wait", 'local p = spawn("receive() gate([[never]]):get() receive()", {mailbox = 1}) fsd.task.sleep(0) send(p, 0) fsd.task.sleep(0) send(p, 1) '
     'spawn("send(args[1], 2)", nil, p) fsd.task.sleep(0) local a = {actor.try_send(p, 3)} exit(p, "kill") return a', [[False, "busy"]]),
    ("raise_raises_at_once", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 1, overflow = "raise"}) send(p, 1) local e, c = try(send, p, 2), try(call, p, 3) exit(p, "kill") return e, c',
     ["overload: cannot send: the actor's mailbox is full", "overload: cannot call: the actor's mailbox is full"]),
    ("drop_new_drops_the_new_one", 'local p = spawn("gate([[new]]):get() while true do send(args[1], (receive())) end", {mailbox = 2, overflow = "drop_new"}, self()) '
     'for i = 1, 4 do send(p, i) end local t = {actor.try_send(p, 5)} local d = actor.info(p).dropped gate([[new]]):put(1) local a, b, c = receive(), receive(), receive(0.03) == nil '
     'exit(p, "kill") return a, b, c, d, t', [1, 2, True, 3, [False, "dropped"]]),
    ("a_call_that_is_dropped_is_an_overload", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 1, overflow = "drop_new"}) send(p, 1) local e = try(call, p, 2) exit(p, "kill") return e',
     ["overload: cannot call: the actor's mailbox is full"]),
    ("drop_old_drops_the_oldest_one", 'local p = spawn("gate([[old]]):get() while true do send(args[1], (receive())) end", {mailbox = 2, overflow = "drop_old"}, self()) '
     'for i = 1, 4 do send(p, i) end local d = actor.info(p).dropped gate([[old]]):put(1) local a, b = receive(), receive() exit(p, "kill") return a, b, d', [3, 4, 2]),
    ("a_question_that_is_dropped_is_an_overload",
     'local p = spawn("fsd.task.sleep(60)", {mailbox = 1, overflow = "drop_old"}) local q = spawn("local e = try(call, args[2], 1) send(args[1], e)", nil, self(), p) '
     'fsd.task.sleep(0) send(p, 2) local e = receive() exit(p, "kill") return e', ["overload: cannot call: the actor's mailbox is full"]),
    ("bytes_count_too", 'local p = spawn("fsd.task.sleep(60)", {mailbox_bytes = 10000}) local a, b = {actor.try_send(p, ("x"):rep(9000))}, {actor.try_send(p, ("x"):rep(2000))} '
     'local n = actor.info(p).message_bytes exit(p, "kill") return a, b, n', [[True], [False, "busy"], 9005]),
    ("signals_pass_a_full_mailbox", 'local p = spawn("actor.trap_exit(true) send(args[1], 0) fsd.task.sleep(0.02) while true do send(args[1], (receive())) end", {mailbox = 1}, self()) '
     'receive() send(p, 1) exit(p, "x") local a, b = receive(), receive() exit(p, "kill") return a, b[1]', [1, "$exit"]),
    ("kill_ends_who_has_a_full_mailbox", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 1}) send(p, 1) exit(p, "kill") return wait_end(p) ~= nil', [True]),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in RUNS], ids=[row[0] for row in RUNS])
def test_mailbox(app, text, expected):
    assert app.run(text) == expected


def test_a_client_that_leaves_takes_its_message_back(app):
    """A handler that waits for room is cancelled like any other wait."""
    app.run(f'local p = spawn("fsd.task.sleep(60)", {{mailbox = 1, name = "full"}}) send(p, 1) return 1')
    body = 'fsd.log:info("sending") actor.send("full", 2, 60)'.encode()
    text = b'local fsd = require "fsd" local actor = require "fsd.actor" ' + body
    host, port = app.process.address().rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        sock.sendall(b"POST /handler HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
        app.process.wait_record(msg="sending")
    assert wait_for(lambda: app.handle('return #actor.list() >= 1 and actor.info("full").messages') == [1], "the handler to end")
    app.handle('actor.exit(actor.whereis("full"), "kill") return 1')


LAST = '''
local fsd = require "fsd"
local actor = require "fsd.actor"
return function(how)
  actor.trap_exit(true)
  fsd.log:info("begun " .. how)
  repeat
    local m = actor.receive()
    fsd.log:info("told " .. how, {kind = m[1], reason = tostring(m[3]), new = select(2, pcall(actor.spawn, "last")).code})
  until how == "good"
end
'''


def started(serve, *hows):
    app = ActorApp(serve({**FILES, "last.lua": LAST}))
    for how in hows:
        app.handle(f'actor.spawn("last", "{how}") return 1')
        app.process.wait_record(msg="begun " + how)
    return app.process


def test_actors_are_told_to_shut_down_when_the_worker_leaves(serve):
    process = started(serve, "good")
    start = time.monotonic()
    process.stop()
    record = process.wait_record(msg="told good")
    assert (record["kind"], record["reason"], record["new"]) == ("$exit", "shutdown", "shutdown")
    assert time.monotonic() - start < 4


def test_who_does_not_obey_is_killed_after_5_s(serve):
    process = started(serve, "bad")
    start = time.monotonic()
    process.stop()
    assert process.wait_record(msg="told bad")["reason"] == "shutdown"
    assert 4.5 < time.monotonic() - start < 15
    assert not [record for record in process.records() if record["level"] == "error"]
