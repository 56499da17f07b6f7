"""spawn with the option on, and fsd.worker: which worker is asked, and what is made of its answer.  An actor of the test plays
another worker; real ones are in test/system/test_node.py."""
import pytest

from actor_app import FILES, ActorApp

HEAD = '''
local core, worker, node = require "fsd.actor.core", require "fsd.worker", require("fsd.actor.core").worker_pid()
local function among(members, f, ...)
  local real = core.members
  core.members = function() return members end
  local results = table.pack(pcall(f, ...))
  core.members = real
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end
local function fake(text) return spawn("local m, from = receive() " .. text, nil, self()) end
local function at(slot, pid, pool) return { slot = slot, pool = pool or "web", incarnation = 90 + slot, pid = pid } end
local ask = "send(args[1], m) actor.reply(from, {pid = args[1]})"
'''.replace("\n", " ")


@pytest.fixture(scope="module")
def app(serve):
    return ActorApp(serve(FILES))


ROWS = [
    ("a_worker_is_in_its_list", 'local l = worker.list() return #l, l[1].slot, l[1].pool, l[1].incarnation == worker.self().incarnation, l[1].is_self, l[1].pid == nil', [1, 0, "web", True, True, True]),
    ("the_list_is_in_order", 'local p = self() local l = among({ at(2, p), at(1, p), at(0, p, "api") }, worker.list) local t = {} for i, e in ipairs(l) do t[i] = { e.pool, e.slot, e.is_self } end return t',
     [[["api", 0, False], ["web", 0, True], ["web", 1, False], ["web", 2, False]]]),
    ("alone_any_is_here", 'local p = worker.spawn("do", {text = "receive()"}) local q = spawn("receive()", {on = "any"}) return actor.alive(p), actor.alive(q)', [True, True]),
    ("the_own_slot_is_here", 'local p, q = spawn("receive()", {on = 0}), spawn("receive()", {on = worker.list()[1]}) return actor.alive(p), actor.alive(q)', [True, True]),
    ("here_all_options_are_as_ever", 'local p, ref = spawn("receive()", {on = 0, monitor = true, name = "here"}) exit(p, "kill") return receive()[2] == ref, actor.whereis("here") == nil', [True, True]),
    ("another_worker_is_asked", 'local p = fake(ask) local q = among({ at(1, p) }, worker.spawn, "room", { id = 7 }, { on = 1, name = "x", mailbox = 5 }) local m = receive() '
     'return q == self(), m[1], m.module, m.args.id, m.options', [True, "$spawn", "room", 7, {"name": "x", "mailbox": 5}]),
    ("an_entry_of_the_list_is_asked", 'local p = fake(ask) return among({ at(1, p) }, function() return worker.spawn("room", nil, { on = worker.list()[2] }) == self() end)', [True]),
    ("nothing_comes_behind_the_pid", 'local p = fake("actor.reply(from, {pid = args[1]})") return among({ at(1, p) }, function() return select("#", worker.spawn("room", nil, { on = 1 })) end)', [1]),
    ("any_goes_round_the_own_pool", 'local p, q = fake("for i = 1, 2 do actor.reply(from, {pid = args[1]}) m, from = receive() end"), fake("send(args[1], [[wrong]])") local n = 0 '
     'among({ at(1, p), at(5, q, "api") }, function() for i = 1, 4 do if worker.spawn("do", {text = "receive()"}) == self() then n = n + 1 end end end) return n', [2]),
    ("what_it_raises_is_raised", 'local p = fake([[actor.reply(from, {error = "bad option"})]]) local ok, e = pcall(among, { at(1, p) }, worker.spawn, "room", nil, { on = 1 }) return e', ["bad option"]),
    ("one_that_ends_gives_no_pid", 'local p = fake("exit([[gone]])") return try(among, { at(1, p) }, worker.spawn, "room", nil, { on = 1 })', ["exit: cannot spawn an actor in another worker: it is gone"]),
    ("a_slot_without_a_worker_is_an_error", 'return try(worker.spawn, "room", nil, { on = 7 })', ['noconnection: cannot spawn an actor: no worker serves slot 7 of pool "web"']),
    ("an_incarnation_that_is_gone_is_an_error", 'return try(worker.spawn, "room", nil, { on = { incarnation = 77 } })', ["noconnection: cannot spawn an actor: no worker has the incarnation 77"]),
    ("one_that_is_asked_spawns", 'local a = call(node, { "$spawn", module = "do", args = { text = "send(args[1], args[2])", args = { self(), "hi" } }, options = { name = "asked" } }) return receive(), a.error == nil', ["hi", True]),
    ("one_that_is_asked_says_what_is_wrong", 'actor.register("taken") local a = call(node, { "$spawn", module = "do", args = {}, options = { name = "taken" } }) actor.unregister("taken") '
     'local b = call(node, { "$spawn", module = {}, options = {} }) return a.error.code, b.error', ["exists", "bad argument #1 to 'fsd.actor.spawn' (string expected, got table)"]),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_it(app, text, expected):
    assert app.run(HEAD + text) == expected


def test_a_handler_can_spawn_elsewhere(app):
    assert app.handle('return actor.alive(fsd.worker.spawn("do", {text = "receive()"})), actor.alive(actor.spawn("do", {text = "receive()"}, {on = 0}))') == [True, True]


def test_a_handler_cannot_link_elsewhere(app):
    assert "only an actor can" in app.handle('local _, e = fsd.try(actor.spawn_link, "do", {}, {on = "any"}) return e.message')[0]


def test_what_is_not_loaded_yet_spawns_nothing_elsewhere(serve_refused):
    log = serve_refused('require "fsd.actor".spawn("x", nil, {on = "any"})')
    assert "cannot spawn an actor here" in log
