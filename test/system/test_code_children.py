"""What an application declares to be supervised, when other code takes over in the worker: compared by id, level by level."""
import random
import struct

import pytest
from as_master import ACTIVATE, ACTIVE, CHANGE_CODE, PREPARE, PREPARED
from code_site import Site, source
from fsd_process import wait_for

# Writes down what becomes of it, with the version of the code that did so.
KID = """
local fsd = require "fsd"
local Kid, kept = require "fsd.server" {}, fsd.state "kept"
local function note(sign, self) table.insert(kept.said, sign .. self.id .. VERSION) end
function Kid:init(args)
  self.id, self.args = args.id, args
  fsd.actor.trap_exit(true)
  note("+", self)
  if args.fails then error("on purpose", 0) end
end
function Kid:handle_call(msg)
  if msg == "crash" then error("on purpose", 0) end
  return { version = VERSION, args = self.args }
end
function Kid:code_change(old) self.id, self.args = old.id, old.args end
function Kid:terminate() note("-", self) end
return Kid
"""
ROUTES = """
local actor, sup = fsd.actor, require "fsd.supervisor"
local function kid(id, o) o = o or {} o.id, o.name, o.start = id, id, { o.module or "kid", { id = id, extra = o.extra, fails = o.fails } }
  o.extra, o.fails, o.module = nil, nil, nil return o end
app:get("/ask/:name", function(req) return actor.call(req.params.name, "who") end)
app:get("/crash/:name", function(req) fsd.try(actor.call, req.params.name, "crash") return {} end)
app:get("/list/:name", function(req)
  local list = fsd.json.array{}
  for i, c in ipairs(sup.which_children(req.params.name)) do list[i] = c.id .. " " .. c.state end
  return list
end)
app:get("/pid/:name", function(req) return { tostring(actor.whereis(req.params.name)) } end)
app:get("/do/:what/:sup/:id", function(req) sup[req.params.what](req.params.sup, req.params.id) return {} end)
app:get("/start/:sup/:id", function(req)
  sup.start_child(req.params.sup, req.params.sup == "many" and { id = req.params.id } or kid(req.params.id)) return {} end)
"""


class Family(Site):
    """A worker whose application declares supervisors; each version is what it declares."""

    def __init__(self, tmp_path):
        super().__init__(tmp_path)
        self.version = 0

    def files(self, declares):
        self.version += 1
        kid = KID.replace("VERSION", str(self.version))
        return source(self.version, ROUTES + declares), {"kid": kid, "other": kid.replace('note("+"', 'note("other+"')}

    def begin_with(self, declares):
        text, files = self.files(declares)
        self.serve(text, **files)
        self.asker = self.client()
        return self

    def change_to(self, declares, **more):
        text, files = self.files(declares)
        files.update(more)
        self.change += 1
        self.worker.tell_memfd(PREPARE, self.bundle(text, **files), struct.pack("=QQQ", self.change, CHANGE_CODE, 6 + self.version))
        assert self.worker.expect_behind_join(PREPARED)
        self.commit(6 + self.version)

    def ask(self, path):
        return self.asker.ask(path)

    def said(self):
        return self.ask("/kept")["said"]

    def wait_said(self, said):
        wait_for(lambda: self.said() == said, f"{said}, it is {self.said()}")

    def listed(self, name):
        return self.ask("/list/" + name)


@pytest.fixture
def family(tmp_path):
    one = Family(tmp_path)
    yield one
    if one.worker is not None:
        one.worker.end()


def one(*kids, name="one", more=""):
    return f'app:supervisor {{ name = "{name}", {more} children = {{ {", ".join(kids)} }} }}\n'


def test_what_both_declare_goes_on_with_the_new_code(family):
    family.begin_with(one('kid "a"', 'kid "b"'))
    pid = family.ask("/pid/a")
    family.change_to(one('kid "a"', 'kid "b"'))
    wait_for(lambda: family.ask("/ask/a")["version"] == 2, "the new code")
    assert family.ask("/pid/a") == pid
    assert family.said() == ["+a1", "+b1"]


def test_what_is_gone_ends_in_reverse_order_before_what_is_new_starts(family):
    family.begin_with(one('kid "a"', 'kid "b"', 'kid "c"'))
    family.change_to(one('kid "d"', 'kid "b"', 'kid "e"'))
    family.wait_said(["+a1", "+b1", "+c1", "-c2", "-a2", "+d2", "+e2"])
    assert family.listed("one") == ["d running", "b running", "e running"]


def test_supervisors_come_and_go(family):
    family.begin_with(one('kid "a"') + one('kid "b"', name="two"))
    family.change_to(one('kid "c"', name="three") + one('kid "b"', name="two"))
    family.wait_said(["+a1", "+b1", "-a2", "+c2"])
    assert family.listed("two") == ["b running"]
    family.change_to("")
    family.wait_said(["+a1", "+b1", "-a2", "+c2", "-b3", "-c3"])
    family.change_to(one('kid "a"'))
    wait_for(lambda: family.said()[-1] == "+a4", "the start")


def test_the_first_supervisor_may_come_with_other_code(family):
    family.begin_with("")
    family.change_to(one('kid "a"'))
    family.wait_said(["+a2"])
    family.ask("/crash/a")
    family.wait_said(["+a2", "-a2", "+a2"])


def test_a_changed_child_is_what_it_says_from_its_next_start_on(family):
    family.begin_with(one('kid("a", { extra = "old" })'))
    family.change_to(one('kid("a", { extra = "new", module = "other" })'))
    wait_for(lambda: family.ask("/ask/a")["version"] == 2, "the new code")
    assert family.ask("/ask/a")["args"]["extra"] == "old"
    family.ask("/crash/a")
    family.wait_said(["+a1", "-a2", "other+a2"])
    assert family.ask("/ask/a")["args"]["extra"] == "new"


def test_a_changed_restart_counts_from_the_next_end_on(family):
    family.begin_with(one('kid "a"', 'kid "b"'))
    family.change_to(one('kid("a", { restart = "temporary" })', 'kid "b"'))
    family.ask("/crash/a")
    wait_for(lambda: family.listed("one") == ["b running"], "the end")
    family.change_to(one('kid("a", { restart = "temporary" })', 'kid "b"'))
    family.change_to(one('kid("a", { restart = "temporary" })', 'kid "b"', 'kid "c"'))
    wait_for(lambda: family.said()[-1] == "+c4", "the new one")
    assert family.listed("one") == ["b running", "c running"]


def test_a_child_that_was_terminated_stays_so(family):
    family.begin_with(one('kid "a"', 'kid "b"'))
    family.ask("/do/terminate_child/one/a")
    family.change_to(one('kid "b"', 'kid "a"', 'kid "c"'))
    wait_for(lambda: family.said()[-1] == "+c2", "the new one")
    assert family.listed("one") == ["b running", "a stopped", "c running"]


def test_children_that_were_started_later_stay(family):
    family.begin_with(one('kid "a"') + 'app:supervisor { name = "many", child = { start = { "kid", {} } } }')
    family.ask("/start/one/x")
    family.ask("/start/many/y")
    family.change_to(one('kid "b"') + 'app:supervisor { name = "many", child = { start = { "other", {} } } }')
    family.wait_said(["+a1", "+x1", "+y1", "-a2", "+b2"])
    assert family.listed("one") == ["b running", "x running"]
    family.ask("/start/many/z")
    assert family.said()[-1] == "other+z2"


NESTED = '{ id = "in", name = "inner", type = "supervisor", start = { "fsd.supervisor", { children = { %s } } } }'


def test_supervisors_inside_compare_theirs(family):
    family.begin_with(one('kid "a"', NESTED % 'kid "b", kid "c"'))
    family.change_to(one('kid "a"', NESTED % 'kid "c", kid "d"'))
    family.wait_said(["+a1", "+b1", "+c1", "-b2", "+d2"])
    assert family.listed("inner") == ["c running", "d running"]


def test_a_child_becomes_a_supervisor(family):
    family.begin_with(one('{ id = "in", start = { "kid", { id = "a" } } }'))
    family.change_to(one(NESTED % 'kid "b"'))
    family.wait_said(["+a1", "-a2", "+b2"])
    assert family.listed("one") == ["in running"]


def test_a_supervisor_becomes_dynamic(family):
    family.begin_with(one('kid "a"', name="many"))
    family.change_to('app:supervisor { name = "many", child = { start = { "kid", {} } } }')
    family.wait_said(["+a1", "-a2"])
    wait_for(lambda: family.listed("many") == [], "the other supervisor")
    family.ask("/start/many/z")
    assert family.said()[-1] == "+z2"


def test_another_strategy_holds_at_once(family):
    family.begin_with(one('kid "a"', 'kid "b"'))
    family.change_to(one('kid "a"', 'kid "b"', more='strategy = "one_for_all",'))
    wait_for(lambda: family.ask("/ask/b")["version"] == 2, "the new code")
    family.ask("/crash/a")
    family.wait_said(["+a1", "+b1", "-a2", "-b2", "+a2", "+b2"])


def test_a_new_child_that_fails_is_a_matter_of_its_supervisor(family):
    """Which tries again, then gives up; the worker ends, as it would had the child failed later."""
    family.begin_with(one('kid "a"'))
    family.change_to(one('kid "a"', 'kid("b", { fails = true })', more="intensity = 1000000,"))
    wait_for(lambda: family.said().count("+b2") > 10, "many tries")
    assert family.ask("/ask/a")["version"] == 2
    family.change_to(one('kid "a"', more="intensity = 1000000,"))
    wait_for(lambda: family.listed("one") == ["a running"], "the end of the tries")
    family.change_to(one('kid "a"', 'kid("b", { fails = true })', more="intensity = 3,"))
    assert family.worker.wait_exit() == 1


def test_the_worker_ends_when_a_kept_supervisor_gives_up_later(family):
    family.begin_with(one('kid "a"', more="intensity = 0,"))
    family.change_to(one('kid "a"', more="intensity = 0,"))
    family.ask("/crash/a")
    assert family.worker.wait_exit() == 1


def test_the_root_that_came_later_is_ended_in_order(family):
    family.begin_with("")
    family.change_to(one('kid "a"'))
    family.wait_said(["+a2"])
    family.worker.drain()
    assert family.worker.wait_exit() == 0


def test_code_that_comes_while_the_children_start_finds_them_started_once(family):
    """The init of the first child lasts until the code is changed."""
    slow = 'local S = require "fsd.server" {} function S:init() while require("fsd.actor.core").generation() == 7 do ' \
        'require("fsd.task").sleep(0.001) end end return S'
    start = 'app:on("start", function(before) table.insert(kept.said, "start VERSION" .. tostring(before)) end)'
    more = 'app:supervisor { name = "one", children = { { id = "slow", start = { "slow" } }, kid "%s" } }\n' + start
    text, files = family.files(more.replace("VERSION", "1") % "a")
    family.load(text, slow=slow, **files)
    family.listener = family.worker.lend(0)
    family.worker.tell(ACTIVATE, struct.pack("=QQ", 7, 0))
    family.change_to(more.replace("VERSION", "2") % "b", slow=slow)
    assert family.worker.expect(ACTIVE) == struct.pack("=Q", 8)
    family.asker = family.client()
    wait_for(lambda: family.listed("one") == ["slow running", "b running"], "the new child")
    wait_for(lambda: sorted(family.said()) == ["+b2", "start 2nil"], f"each once, it is {family.said()}")


def test_what_was_to_start_is_what_the_next_code_says(family):
    """Which comes while the first child starts; of what the other one was to be there is nothing left in it."""
    slow = 'local S = require "fsd.server" {} function S:init() while require("fsd.actor.core").generation() == 8 do ' \
        'require("fsd.task").sleep(0.001) end end return S'
    family.begin_with(one('kid "a"'))
    family.change_to(one('kid "a"', '{ id = "slow", start = { "slow" } }', 'kid("b", { module = "former" })', 'kid "c"', 'kid "d"', more="intensity = 0,"),
                     slow=slow, former=KID.replace("VERSION", "2"))
    (family.folder / "former.lua").unlink()
    family.change_to(one('kid "a"', '{ id = "slow", start = { "slow" } }', 'kid "e"', 'kid "d"', 'kid "b"', more="intensity = 0,"), slow=slow)
    family.wait_said(["+a1", "+e3", "+d3", "+b3"])
    assert family.listed("one") == ["a running", "slow running", "e running", "d running", "b running"]


def test_so_it_is_below_a_supervisor_that_is_starting(family):
    slow = 'local S = require "fsd.server" {} function S:init() while require("fsd.actor.core").generation() == 8 do ' \
        'require("fsd.task").sleep(0.001) end end return S'
    family.begin_with(one('kid "a"'))
    former = {"former": KID.replace("VERSION", "2")}
    family.change_to(one('kid "a"') + one('{ id = "slow", start = { "slow" } }', 'kid("b", { module = "former" })', 'kid("c", { module = "former" })', name="two"),
                     slow=slow, **former)
    (family.folder / "former.lua").unlink()
    family.change_to(one('kid "a"') + one('{ id = "slow", start = { "slow" } }', 'kid "d"', 'kid "b"', name="two"), slow=slow)
    family.wait_said(["+a1", "+b3", "+d3"])
    assert family.listed("two") == ["slow running", "d running", "b running"]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_declared_runs_in_its_order_and_what_stays_is_the_same(family, seed):
    choose = random.Random(seed)
    names = [f"k{i}" for i in range(8)]

    def declare():
        lists = [choose.sample(names[:4], choose.randint(0, 4)), choose.sample(names[4:], choose.randint(0, 4))]
        order = choose.sample([0, 1], 2)
        strategies = ("one_for_one", "rest_for_one", "one_for_all")
        return lists, "".join(one(*(f'kid "{kid}"' for kid in lists[i]), name=f"s{i}", more=f'strategy = "{choose.choice(strategies)}",') for i in order)

    lists, text = declare()
    family.begin_with(text)
    for _ in range(30):
        before = {kid: family.ask("/pid/" + kid)[0] for kid in lists[0] + lists[1]}
        lists, text = declare()
        family.change_to(text)
        for i in range(2):
            wait_for(lambda i=i: family.listed(f"s{i}") == [f"{kid} running" for kid in lists[i]], f"{lists[i]}")
        after = {kid: family.ask("/pid/" + kid)[0] for kid in lists[0] + lists[1]}
        assert all(before[kid] == pid for kid, pid in after.items() if kid in before)
        wait_for(lambda: all(family.ask("/ask/" + kid)["version"] == family.version for kid in after), "the new code in all of them")
        assert all(family.ask("/pid/" + kid) == ["nil"] for kid in before.keys() - after.keys())
