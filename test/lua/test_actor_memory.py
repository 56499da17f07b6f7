"""fsd.actor: how much memory one actor may have, what counts, and what becomes of one that has more."""
import pytest

from actor_app import FILES, ActorApp

MIB = 1 << 20


@pytest.fixture(scope="module")
def app(serve):
    return ActorApp(serve({**FILES, "counter.lua": '''
local Counter = require("fsd.server") {}
function Counter:init() self.kept = {} end
function Counter:handle_cast() while true do self.kept[#self.kept + 1] = { #self.kept } end end
function Counter:handle_call() return "well" end
return Counter
'''}))


# what an actor does that may have a MiB
HOGS = [
    ("tables", "local t = {} while true do t[#t + 1] = {} end"),
    ("strings", "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end"),
    ("one_string", "local s = 'x' while true do s = s .. s end"),
    ("closures", "local last while true do local before = last last = function() return before end end"),
    ("coroutines", "coroutine.wrap(function() coroutine.wrap(function() local t = {} while true do t[#t + 1] = {} end end)() end)()"),
    ("pcall", "local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end"),
    ("between_waits", "local t = {} while true do t[#t + 1] = ('x'):rep(10000) .. #t if #t % 10 == 0 then fsd.task.sleep(0) end end"),
    ("a_callback_of_gsub", "local t = {} while true do (('x'):rep(100)):gsub('.', function() t[#t + 1] = {} end) end"),
    ("a_sort", "local t = {} for i = 1, 20 do t[i] = -i end local kept = {} while true do table.sort(t, function(a, b) kept[#kept + 1] = {} return a < b end) end"),
    ("its_own_messages", "while true do send(self(), ('x'):rep(1000)) end"),
]


@pytest.mark.parametrize("text", [row[1] for row in HOGS], ids=[row[0] for row in HOGS])
def test_an_actor_that_has_more_than_it_may_ends_and_nobody_else(app, text):
    worker = app.process.workers()[0]["pid"]
    reason, linked, alive = app.run(f"""
      actor.trap_exit(true)
      local neighbour = spawn("while true do local m, from = receive() actor.reply(from, m) end")
      local hog, ref = actor.spawn_monitor("do", {{text = [==[{text}]==]}}, {{memory = 1 << 20, link = true}})
      local reason, linked
      for i = 1, 2 do
        local m = receive(30)
        if m[1] == "$down" then reason = m[4] else linked = m[3] end
      end
      local alive = call(neighbour, "alive")
      exit(neighbour, "kill")
      return {{reason.name, reason.code, reason.status, reason.message, reason.traceback}}, linked.code, alive
    """)
    assert reason[:3] == ["LimitError", "memory", 503]
    assert reason[3].startswith("it has ") and reason[3].endswith(" KiB of memory, of which 1024 KiB are allowed")
    assert reason[4:] in ([], [None])  # for the log only
    assert (linked, alive) == ("memory", "alive")
    assert app.process.workers()[0]["pid"] == worker


def test_its_end_can_t_be_caught_and_is_logged_like_a_crash(app):
    assert app.run("""
      local hog, ref = actor.spawn_monitor("do", {text = [[
        local x <close> = setmetatable({}, {__close = function() fsd.log:info("closed for its memory") end})
        local t = {}
        while true do
          if not pcall(function() while true do t[#t + 1] = {} end end) then fsd.log:info("caught its end") end
        end]]}, {memory = 1 << 20, name = "catcher"})
      return receive(30)[4].code
    """) == ["memory"]
    app.process.wait_record(msg="closed for its memory")
    assert "caught its end" not in app.process.log()
    record = app.process.wait_record(name="catcher")
    assert (record["level"], record["module"], record["code"]) == ("error", "do", "memory")
    assert record["msg"].startswith("actor crashed: it has ")
    assert "stack traceback" in record["traceback"]


RUNS = [
    ("garbage_does_not_count", 'local p = spawn("for i = 1, 20000 do local s = (\'x\'):rep(1000) .. i end send(args[1], \'done\')", {memory = 1 << 20}, self()) return receive(30)',
     ["done"]),
    ("what_it_may_have_is_known", 'local p, q = spawn("receive()", {memory = 5000}), spawn("receive()") local a, b = actor.info(p).memory_limit, actor.info(q).memory_limit '
     'exit(p, "kill") exit(q, "kill") return a, b', [5120, 0]),
    ("a_full_mailbox_counts_for_its_owner",
     'local p, ref = actor.spawn_monitor("do", {text = "fsd.task.sleep(60)"}, {memory = 1 << 20}) local sent = 0 '
     'while sent < 1000 do local t = {} for i = 1, 1000 do t[i] = i end send(p, t) sent = sent + 1 local m = receive(0) if m then return m[4].code, sent < 200 end end', ["memory", True]),
    ("strings_are_their_makers", 'local p = spawn("fsd.task.sleep(60)", {memory = 1 << 20, mailbox = 100000}) local s = ("x"):rep(1000) for i = 1, 10000 do send(p, s) end '
     'local m = actor.info(p).messages exit(p, "kill") return m', [10000]),
    ("room_for_messages_is_their_receivers", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 100000}) local before = actor.info(p).memory for i = 1, 10000 do send(p, i) end '
     'local grown = actor.info(p).memory - before exit(p, "kill") return grown >= 10000 * 40', [True]),
    ("tables_in_messages_are_their_receivers", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 100000}) local before, mine = actor.info(p).memory, actor.info(self()).memory '
     'for i = 1, 10000 do send(p, {i, i}) end local grown, mine = actor.info(p).memory - before, actor.info(self()).memory - mine exit(p, "kill") return grown > 800000, mine < grown',
     [True, True]),
    ("those_who_wait_for_room_have_charged_it_already", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 1}) send(p, 0) local before = actor.info(p).memory '
     'local q = spawn("local t = {} for i = 1, 10000 do t[i] = i end send(args[1], t)", nil, p) repeat fsd.task.sleep(0) until actor.info(q).state == "waiting" '
     'local grown = actor.info(p).memory - before exit(p, "kill") return grown >= 160000', [True]),
    ("an_answer_is_its_askers", 'local p = spawn("while true do local n, from = receive() local t = {} for i = 1, n do t[i] = {i} end actor.reply(from, t) end", nil) '
     'local q, ref = actor.spawn_monitor("do", {text = "local kept = {} while true do kept[#kept + 1] = call(args, 1000) end", args = p}, {memory = 1 << 20}) '
     'local m = receive(30)[4].code local alive = actor.alive(p) exit(p, "kill") return m, alive', ["memory", True]),
    ("a_server_may_have_a_limit", 'local p = require("counter").start({memory = 1 << 20}) local ref = actor.monitor(p) actor.cast(p, 1) return receive(30)[4].code',
     ["memory"]),
    ("a_child_with_a_limit_is_started_again",
     'local s = require("fsd.supervisor").start_link{children = {{start = {"counter"}, name = "limited", memory = 1 << 20}}} local first = actor.whereis("limited") '
     'local ref = actor.monitor(first) actor.cast(first, 1) local why = receive(30)[4].code '
     'repeat fsd.task.sleep(0) local second = actor.whereis("limited") until second and second ~= first local second = actor.whereis("limited") '
     'local limit, answer = actor.info(second).memory_limit, call(second, 1) actor.unlink(s) exit(s, "kill") return why, second ~= first, limit, answer', ["memory", True, MIB, "well"]),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in RUNS], ids=[row[0] for row in RUNS])
def test_memory(app, text, expected):
    assert app.run(text) == expected


@pytest.mark.parametrize("overflow", ["suspend", "drop_new", "drop_old", "raise"])
def test_whoever_floods_a_full_mailbox_does_not_end_its_owner(app, overflow):
    """Copies that are refused are charged to the sender; those that are dropped for new ones are garbage."""
    messages, alive = app.run(f"""
      local p = spawn("fsd.task.sleep(60)", {{mailbox = 100, memory = 1 << 20, overflow = "{overflow}"}})
      for i = 1, 20000 do pcall(actor.try_send, p, {{i, {{i}}, "a message that is as long as others"}}) end
      fsd.task.sleep(0.01)
      local messages, alive = actor.info(p).messages, actor.alive(p)
      exit(p, "kill")
      return messages, alive
    """)
    assert (messages, alive) == (100, True)


def test_the_configuration_limits_all_actors(serve):
    app = ActorApp(serve(FILES, limits={"actor_memory": "2MiB"}))
    limits, message = app.run("""
      local limits = {}
      for i, options in ipairs { {}, {memory = 1 << 20}, {memory = 1 << 30} } do
        local p = spawn("receive()", options)
        limits[i] = actor.info(p).memory_limit
        exit(p, "kill")
      end
      local hog, ref = actor.spawn_monitor("do", {text = "local t = {} while true do t[#t + 1] = {} end"})
      return limits, receive(30)[4].message
    """)
    assert limits == [2 * MIB, MIB, 2 * MIB]
    assert message.endswith("of which 2048 KiB are allowed")


def test_the_librarys_own_actors_are_not_limited(serve):
    app = ActorApp(serve({**FILES, "plain.lua": "return function() require('fsd.actor').receive() end"}, limits={"actor_memory": "1KiB"}))
    assert app.handle("""
      local sup = require "fsd.supervisor".start { children = { { start = { "plain" } } } }
      local limit = actor.info(sup).memory_limit
      actor.exit(sup, "kill")
      return limit
    """) == [0]
