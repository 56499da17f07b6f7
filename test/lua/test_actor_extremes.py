"""fsd.actor at its ends: what no application should do, and what becomes of its worker when it does."""
import pytest

from actor_app import FILES, ActorApp
from fsd_process import BUILD

ACTORS_MAX = 131072


@pytest.fixture(scope="module")
def app(serve):
    return ActorApp(serve({
        **FILES,
        "idle.lua": 'local receive = require("fsd.actor").receive return function() receive() end',
    }))


@pytest.fixture
def alive(app):
    """The worker that began the test is the one that ends it."""
    pid = app.process.workers()[0]["pid"]
    yield
    assert app.handle("return 1") == [1]
    assert app.process.workers()[0]["pid"] == pid, app.process.log()[-3000:]


# what cannot be sent, where it stands in the message, what is said of it
MISTAKES = [
    ("a_function", "print", "", "a function"),
    ("a_function_inside", "{items = {1, 2, {cb = print}}}", ' at "items[3].cb"', "a function"),
    ("a_coroutine", "{coroutine.create(print)}", ' at "[1]"', "a coroutine"),
    ("a_userdata", "{file = io.stdout}", ' at "file"', "a userdata"),
    ("a_request", "{setmetatable({}, {__index = print})}", ' at "[1]"', "a table with a metatable"),
    ("a_table_as_a_key", "{a = {[{}] = 1}}", ' at "a"', "a table as a key"),
    ("a_function_as_a_key", "{[print] = 1}", None, "a function"),
    ("a_cycle", "(function() local t = {} t.next = {t} return t end)()", None, "more than 100 levels of tables (a cycle?)"),
    ("a_cycle_of_itself", "(function() local t = {} t[1] = t return t end)()", None, "more than 100 levels of tables (a cycle?)"),
    ("too_many_levels", "(function() local t = {} for i = 1, 100 do t = {t} end return t end)()", None, "more than 100 levels of tables (a cycle?)"),
    ("a_string_of_more_than_a_mebibyte", '("x"):rep((1 << 20) + 1)', "", "more than 1 MiB in one message"),
    ("strings_of_more_than_a_mebibyte", "(function() local t = {} for i = 1, 20 do t[i] = ('x'):rep(60000) end return t end)()", None, "more than 1 MiB in one message"),
    ("numbers_of_more_than_a_mebibyte", "(function() local t = {} for i = 1, 200000 do t[i] = i end return t end)()", None, "more than 1 MiB in one message"),
    ("nothing_but_tables", "(function() local t = {} for i = 1, 1000 do t[i] = {} for j = 1, 1000 do t[i][j] = {} end end return t end)()", None, "more than 1 MiB in one message"),
    ("the_same_large_string_often", "(function() local s, t = ('x'):rep(1000), {} for i = 1, 2000 do t[i] = s end return t end)()", None, "more than 1 MiB in one message"),
]
WAYS = ["send(p, m)", "actor.cast(p, m)", "actor.try_send(p, m)", "call(p, m)", 'actor.spawn("idle", m)', 'exit(p, m)', "actor.reply(actor.monitor(self()), m)"]


@pytest.mark.parametrize("message, place, what", [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_what_cannot_be_sent_raises_at_the_sender_in_every_way_and_nothing_is_sent(app, alive, message, place, what):
    *errors, before, after, received = app.run(f"""
      local p, m = actor.spawn("idle"), {message}
      local before = #actor.list()
      local errors = {{ {", ".join(f"try(function() {way} end)" for way in WAYS)} }}
      local after, info = #actor.list(), actor.info(p)
      exit(p, "kill")
      return errors[1], errors[2], errors[3], errors[4], errors[5], errors[6], errors[7], before, after, info and info.state == "waiting" and info.messages
    """)
    for error in errors:
        assert error.startswith("error: cannot send " + what + (place or "")), errors
        assert place is None or error.endswith(what + place)
    assert (before, received) == (after, 0)


GOOD = [
    ("a_hundred_levels", "(function() local t = {} for i = 1, 99 do t = {t} end return t end)()",
     "(function(t) local n = 0 while t do n = n + 1 t = t[1] end return n end)", 100),
    ("almost_a_mebibyte", '("x"):rep((1 << 20) - 5)', "function(s) return #s end", (1 << 20) - 5),
    ("the_same_table_twice", "(function() local t = {1} return {t, t} end)()", "function(t) return t[1][1] + t[2][1] end", 2),
]


@pytest.mark.parametrize("message, count, expected", [row[1:] for row in GOOD], ids=[row[0] for row in GOOD])
def test_what_is_just_allowed_arrives(app, message, count, expected):
    assert app.run(f"send(self(), {message}) return ({count})(receive())") == [expected]


@pytest.mark.skipif(BUILD.name == "asan", reason="the address sanitizer keeps freed memory")
@pytest.mark.parametrize("overflow, send", [
    ("suspend", "actor.try_send(p, m)"),
    ("drop_new", "send(p, m)"),
    ("drop_old", "send(p, m)"),
    ("raise", "pcall(send, p, m)"),
], ids=lambda value: value.replace(" ", ""))
def test_a_million_messages_to_a_full_mailbox_keep_memory_flat(app, alive, overflow, send):
    grown, messages = app.run(f"""
      local function rss() return tonumber(io.open("/proc/self/statm"):read("a"):match("%d+ (%d+)")) * 4096 end
      local p = spawn("fsd.task.sleep(600)", {{mailbox = 1000, overflow = "{overflow}"}})
      local function fill(n) for i = 1, n do local m = {{i, "a message that is as long as others"}} {send} end end
      fill(100000)
      local before = rss()
      fill(1000000)
      local grown, messages = rss() - before, actor.info(p).messages
      exit(p, "kill")
      return grown, messages
    """)
    assert messages == 1000
    assert grown < 8 << 20


@pytest.mark.skipif(BUILD.name == "asan", reason="a hundred thousand actors take a minute and gigabytes there")
def test_spawning_in_a_loop_ends_with_an_error_and_the_worker_lives_on(app, alive):
    count, code, status, answer, alive = app.run("""
      local neighbour = spawn("while true do local m, from = receive() actor.reply(from, m) end")
      local count = #actor.list()
      local ok, err
      repeat
        ok, err = pcall(actor.spawn, "idle")
        count = count + (ok and 1 or 0)
      until not ok
      local answer = call(neighbour, "alive")
      for _, pid in ipairs(actor.list { module = "idle" }) do exit(pid, "kill") end
      fsd.task.sleep(0)
      local again = actor.spawn("idle")
      local alive = actor.alive(again)
      exit(again, "kill")
      exit(neighbour, "kill")
      return count, err.code, err.status, answer, alive
    """)
    assert (count, code, status, answer, alive) == (ACTORS_MAX, "limit", 503, "alive", True)


BUDGETS = [
    ("cpu_time", "while true do end", "cpu = 0.02", ["CancelError", "cpu", "the CPU time is used up"]),
    ("cpu_time_over_many_waits", "while true do for i = 1, 20000 do end fsd.task.sleep(0) end", "cpu = 0.02", ["CancelError", "cpu", "the CPU time is used up"]),
    ("a_deadline_while_it_runs", "while true do end", "deadline = 0.02", ["CancelError", "timeout", "the deadline has passed"]),
    ("a_deadline_while_it_receives", "receive()", "deadline = 0.02", ["CancelError", "timeout", "the deadline has passed"]),
    ("a_deadline_while_it_calls", "call(spawn([[receive() receive()]]), 1, 60)", "deadline = 0.02", ["CancelError", "timeout", "the deadline has passed"]),
    ("a_deadline_while_it_waits_for_room", "local p = spawn([[fsd.task.sleep(600)]], {mailbox = 1}) send(p, 1) send(p, 2, 60)", "deadline = 0.02",
     ["CancelError", "timeout", "the deadline has passed"]),
    ("a_deadline_that_it_catches", "pcall(receive) while true do pcall(receive) end", "deadline = 0.02", "killed"),
    ("time_enough", "fsd.task.sleep(0.01)", "deadline = 60, cpu = 60", "normal"),
]


@pytest.mark.parametrize("text, options, reason", [row[1:] for row in BUDGETS], ids=[row[0] for row in BUDGETS])
def test_an_actor_over_its_budget_ends_and_nobody_else(app, alive, text, options, reason):
    found, answer = app.run(f"""
      local neighbour = spawn("while true do local m, from = receive() actor.reply(from, m) end")
      local p, ref = actor.spawn_monitor("do", {{text = [==[{text}]==]}}, {{{options}}})
      local reason = receive(function(m) return m[2] == ref end, 30)[4]
      local answer = call(neighbour, "alive")
      exit(neighbour, "kill")
      return type(reason) == "table" and {{reason.name, reason.code, reason.message}} or reason, answer
    """)
    assert (found, answer) == (reason, "alive")
    if isinstance(reason, list):
        record = app.process.wait_record(msg="actor crashed: " + reason[2])
        assert (record["module"], record["code"]) == ("do", reason[1]) and "stack traceback" in record["traceback"]


def test_many_that_spin_from_their_begin_let_others_run_in_between(app, alive):
    turns = app.run("""
      local turns, spinners = 0, {}
      for i = 1, 300 do spinners[i] = spawn("while true do end") end
      repeat
        turns = turns + 1
        fsd.task.sleep(0)
      until actor.info(spinners[300]).state ~= "starting"
      for _, pid in ipairs(spinners) do exit(pid, "kill") end
      return turns
    """)[0]
    assert turns > 2  # not all of them in one
