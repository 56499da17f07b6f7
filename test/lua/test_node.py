"""What a worker tells others of its groups and topics, and takes from them.  An actor of the test plays the other worker: it says
hello, reads what a feeder tells it, and tells of actors that nobody else knows."""
import pytest

from actor_app import FILES, ActorApp

STUB = '''
local core = require "fsd.actor.core"
local actor = require "fsd.actor"
if core.serve then return core.worker_pid() end
local pid
core.serve = function() end
core.members = function() return {} end
core.worker_pid = function() return pid end
pid = actor.spawn("fsd.node.server")
return pid
'''
HEAD = '''
local core, group, pubsub, worker = require "fsd.actor.core", require "fsd.group", require "fsd.pubsub", require "fsd.worker"
local function other(text) return spawn("local group, pubsub = require 'fsd.group', require 'fsd.pubsub' " .. text, nil, self()) end
local function kill(p) exit(p, "kill") wait_end(p) end
local node = NODE
local function hello() send(node, { "$node", "hello", self() }) end
local function is_up() core.signal(node, { "$member", "up", self(), 9, "other" }) end
local function is_down() core.signal(node, { "$member", "down", self(), 9, "other" }) end
local function tell(batch) batch.groups, batch.topics = batch.groups or {}, batch.topics or {} send(node, { "$node", "state", self(), batch }) end
local entries = { groups = {}, topics = {} }
local function find(list, name)
  for i, entry in ipairs(list) do if entry[1] == name then return table.remove(list, i) end end
end
local function told(kind, name)
  local entry = find(entries[kind], name)
  while not entry do
    local batch = receive(function(m) return m[1] == "$node" and m[2] == "state" end, 5)[4]
    for of, list in pairs(entries) do table.move(batch[of], 1, #batch[of], #list + 1, list) end
    entry = find(entries[kind], name)
  end
  return entry
end
local function settle() call(node, { "$spawn", module = "do", args = { text = "" }, options = {} }) end
'''.replace("\n", " ")


@pytest.fixture(scope="module")
def app(serve):
    return ActorApp(serve({**FILES, "stub.lua": STUB}))


HERE = [
    ("memberships_are_told", 'group.join("n1") group.join("n1") hello() local e = told("groups", "n1") return e[2] == self(), e[3]', [True, 2]),
    ("joins_and_leaves_are_told", 'hello() settle() group.join("n2") local a = told("groups", "n2") group.leave("n2") local b = told("groups", "n2") return a[3], b[3]', [1, 0]),
    ("ends_are_told", 'local p = other("group.join(\'n3\') receive()") hello() local a = told("groups", "n3") exit(p, "kill") local b = told("groups", "n3") return a[3], b[3], b[2] == p', [1, 0, True]),
    ("topics_are_told", 'pubsub.subscribe("n4") pubsub.subscribe("n4:*") hello() return told("topics", "n4")[2], told("topics", "n4:*")[2]', [True, True]),
    ("the_last_subscriber_is_told", 'hello() pubsub.subscribe("n5") local p = other("pubsub.subscribe(\'n5\') send(args[1], 1) receive()") receive(function(m) return m == 1 end) '
     'local a = told("topics", "n5") kill(p) pubsub.unsubscribe("n5") return a[2], told("topics", "n5")[2]', [True, False]),
    ("a_second_hello_is_answered_from_the_beginning", 'group.join("n6") hello() told("groups", "n6") hello() local first = receive(function(m) return m[2] == "state" and m[4].is_first end, 5) '
     'return first ~= nil, told("groups", "n6")[3]', [True, 1]),
    ("all_is_told_when_there_is_much", 'for i = 1, 1000 do group.join("n7:" .. i) end hello() local seen, n = {}, 0 '
     'while n < 1000 do for _, e in ipairs(receive(function(m) return m[2] == "state" end)[4].groups) do if e[1]:sub(1, 3) == "n7:" and not seen[e[1]] then seen[e[1]] = true n = n + 1 end end end return n', [1000]),
    ("a_slow_worker_is_told_the_latest_once", 'hello() settle() local p = other("group.join(\'n8\') group.join(\'n8\') group.leave(\'n8\') group.leave(\'n8\') send(args[1], 1) receive()") receive(function(m) return m == 1 end) '
     'local last repeat last = told("groups", "n8") until last[3] == 0 group.join("n8", p) return told("groups", "n8")[3]', [1]),
]

THERE = [
    ("what_strangers_tell_is_not_believed", 'tell { groups = { { "m1", self(), 1 } } } settle() return #group.members("m1")', [0]),
    ("who_comes_up_is_said_hello", 'is_up() local m = receive(function(m) return m[2] == "hello" end) return m[3] == node', [True]),
    ("members_elsewhere_are_listed", 'is_up() tell { groups = { { "m2", self(), 2 } } } settle() return #group.members("m2"), #group.local_members("m2")', [2, 0]),
    ("monitors_hear_of_them", 'local ref = group.monitor("m3") is_up() tell { groups = { { "m3", self(), 2 } } } tell { groups = { { "m3", self(), 1 } } } local a, b = receive(function(m) return m[1] == "$group" end), '
     'receive(function(m) return m[1] == "$group" end) return a[3], #a[5], b[3], #b[5], b[2] == ref', ["join", 2, "leave", 1, True]),
    ("who_is_down_takes_all_its_members_along", 'is_up() local p = other("receive()") tell { groups = { { "m4", p, 2 }, { "m5", p, 1 } } } group.monitor("m4") settle() local n = #group.members("m4") is_down() '
     'local m = receive(function(m) return m[1] == "$group" and m[3] == "leave" end) settle() return n, #m[5], #group.members("m4"), #group.members("m5")', [2, 2, 0, 0]),
    ("who_has_ended_takes_all_its_members_along", 'group.monitor("m6") local p = other("receive()") '
     'local q = spawn("local core, node = require [[fsd.actor.core]], NODE core.signal(node, {[[$member]], [[up]], self(), 9, [[other]]}) send(node, {[[$node]], [[state]], self(), {groups = {{[[m6]], args[1], 1}}, topics = {}}}) '
     'fsd.task.sleep(60)", nil, p) local a = receive(function(m) return m[1] == "$group" end) exit(q, "kill") local b = receive(function(m) return m[1] == "$group" end) return a[3], b[3], #group.members("m6")', ["join", "leave", 0]),
    ("the_first_news_of_a_connection_replace_all", 'is_up() tell { groups = { { "m7", self(), 1 } } } tell { is_first = true, groups = { { "m8", self(), 1 } } } settle() return #group.members("m7"), #group.members("m8")', [0, 1]),
    ("topics_wanted_elsewhere_get_one_message", 'is_up() tell { relay = self(), topics = { { "m9", true }, { "m9*", true }, { "m*", true } } } settle() local t = {pubsub.publish("m9", "hi")} '
     'local m = receive(function(m) return m.topic end) return t, m.topic, m.msg, m.except == nil, receive(function(m) return m.topic end, 0) == nil', [[0, 0, 1, 0], "m9", "hi", True, True]),
    ("who_is_left_out_is_told", 'is_up() tell { relay = self(), topics = { { "mA", true } } } settle() local p = other("receive()") pubsub.publish_from(p, "mA", 1) return receive(function(m) return m.topic end).except == p', [True]),
    ("what_is_not_wanted_any_more_is_not_sent", 'is_up() tell { relay = self(), topics = { { "mB", true }, { "mB:*", true } } } tell { topics = { { "mB", false }, { "mB:*", false } } } settle() return {pubsub.publish("mB", 1)}, {pubsub.publish("mB:1", 1)}',
     [[0, 0, 0, 0], [0, 0, 0, 0]]),
    ("what_a_worker_has_no_room_for_is_counted", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 1, overflow = "drop_new"}) is_up() tell { relay = p, topics = { { "mC", true } } } settle() return {pubsub.publish("mC", 1)}, {pubsub.publish("mC", 1)}',
     [[0, 0, 1, 0], [0, 0, 0, 1]]),
    ("local_publish_stays_here", 'is_up() tell { relay = self(), topics = { { "mD", true } } } settle() return pubsub.local_publish("mD", 1), receive(function(m) return m.topic end, 0) == nil', [0, True]),
    ("what_comes_to_the_relay_is_delivered", 'hello() local relay = receive(function(m) return m[2] == "state" and m[4].relay end)[4].relay pubsub.subscribe("mE", {as = "x"}) send(relay, {topic = "mE", msg = 1, except = self()}) '
     'send(relay, {topic = "mE", msg = 2}) return receive(function(m) return m[1] == "x" end)', [["x", "mE", 2]]),
    ("a_connection_that_is_lost_is_made_again", 'local me = self() local function said_hello() return receive(function(m) return m[2] == "hello" end, 5) ~= nil end is_up() local before = said_hello() tell { groups = { { "mG", me, 1 } } } settle() '
     'local real = core.members core.members = function() return { { pid = me, slot = 9, pool = "other" } } end core.signal(node, { "$down", core.ref(), me, "noconnection" }) settle() local n = #group.members("mG") '
     'local again = said_hello() core.members = real tell { groups = { { "mG", me, 1 } } } settle() return before, n, again, #group.members("mG")', [True, 0, True, 1]),
    ("a_hello_that_finds_no_room_is_said_again", 'local p = spawn("gate([[mJ]]):get() local m repeat m = receive(nil, 5) until m == nil or m[2] == [[hello]] send(args[1], m ~= nil)", {mailbox = 1}, self()) send(p, {1}) '
     'local real = core.members core.members = function() return { { pid = p, slot = 9, pool = "other" } } end core.signal(node, { "$member", "up", p, 9, "other" }) settle() gate("mJ"):put(1) '
     'local again = receive(function(m) return type(m) == "boolean" end) core.members = real return again', [True]),
    ("a_server_that_ends_has_a_successor_that_begins_anew", 'is_up() tell { groups = { { "mH", self(), 1 } } } settle() group.join("mI") exit(node, "kill") while not actor.alive(node) do fsd.task.sleep(0.01) end settle() '
     'hello() return #group.members("mH"), told("groups", "mI")[3]', [0, 1]),
    ("a_relay_that_ends_has_a_successor", 'hello() local m = receive(function(m) return m[2] == "state" and m[4].relay end) exit(m[4].relay, "kill") local n = receive(function(m) return m[2] == "state" and m[4].relay end) return m[4].relay ~= n[4].relay', [True]),
    ("a_feeder_that_ends_has_a_successor", 'group.join("mF") hello() told("groups", "mF") for _, p in ipairs(actor.list { module = "fsd.node.feeder" }) do exit(p, "kill") end return told("groups", "mF")[3]', [1]),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in HERE + THERE], ids=[row[0] for row in HERE + THERE])
def test_it(app, text, expected):
    assert app.run((HEAD + text).replace("NODE", "require('stub')")) == expected
