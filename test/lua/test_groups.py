"""fsd.group, fsd.pubsub and fsd.registry: what actors join, subscribe to and hold, until they end."""
import pytest

from actor_app import FILES, ActorApp

# Each test has names of its own, which end with `here`, so that it does not see those of others.
HEAD = '''local group, pubsub, registry = require "fsd.group", require "fsd.pubsub", require "fsd.registry"
local function other(text) return spawn("local group, pubsub, registry = require 'fsd.group', require 'fsd.pubsub', require 'fsd.registry' " .. text, nil, self()) end
local function kill(p) exit(p, "kill") wait_end(p) end
local failing = try
'''.replace("\n", " ")


@pytest.fixture(scope="module")
def app(serve):
    return ActorApp(serve(FILES))


GROUPS = [
    ("who_joins_is_a_member", 'group.join("g1") local m = group.members("g1") return #m, m[1] == self()', [1, True]),
    ("another_can_be_joined", 'local p = other("receive()") group.join("g2", p) return group.members("g2")[1] == p', [True]),
    ("a_member_is_in_as_often_as_it_joined", 'for i = 1, 3 do group.join("g3") end group.leave("g3") return #group.members("g3")', [2]),
    ("leave_says_whether_it_was_in", 'group.join("g4") return group.leave("g4"), group.leave("g4"), group.leave("g5")', [True, False, False]),
    ("members_stand_in_the_order_of_their_joins", 'local p = other("receive()") group.join("g6", p) group.join("g6") local m = group.members("g6") return m[1] == p, m[2] == self()', [True, True]),
    ("who_ends_leaves_with_all_its_entries", 'local p = other("group.join(\'g7\') group.join(\'g7\') group.join(\'g8\') send(args[1], 1) receive()") receive() local n = #group.members("g7") '
     'exit(p, "kill") return n, #group.members("g7"), #group.members("g8")', [2, 0, 0]),
    ("local_members_are_those_of_this_worker", 'group.join("g9") return #group.local_members("g9")', [1]),
    ("a_group_without_members_is_gone", 'group.join("gA") local function has() for _, n in ipairs(group.names()) do if n == "gA" then return true end end return false end '
     'local a = has() group.leave("gA") return a, has()', [True, False]),
    ("a_monitor_hears_of_joins_and_leaves", 'local ref, now = group.monitor("gB") local p = other("group.join(\'gB\') group.join(\'gB\') receive()") local a, b = receive(), receive() exit(p, "kill") local c = receive() '
     'return #now, a[1], a[2] == ref, a[3], a[4], a[5][1] == p, b[3], c[3], #c[5]', [0, "$group", True, "join", "gB", True, "join", "leave", 2]),
    ("a_monitor_tells_who_is_in_already", 'group.join("gC") local _, now = group.monitor("gC") return #now', [1]),
    ("a_monitor_can_be_ended", 'local ref = group.monitor("gD") group.demonitor(ref) group.demonitor(ref) group.join("gD") return receive(0.01) == nil', [True]),
    ("monitors_end_with_their_actor", 'local p = other("group.monitor(\'gE\') send(args[1], 1) receive()") receive() kill(p) group.join("gE") return #group.members("gE")', [1]),
    ("news_of_a_group_pass_a_full_mailbox", 'local p = other("group.monitor(\'gF\') send(args[1], 1) local m = receive(function(m) return m[1] == \'$group\' end) send(args[1], m[3])") '
     'receive() while actor.try_send(p, {0}) do end group.join("gF") return receive()', ["join"]),
    ("a_dead_actor_cannot_join", 'local p = spawn("") wait_end(p) return (failing(group.join, "gG", p):gsub("<.*>", "PID"))', ["noproc: cannot list PID: the actor has ended, or is one of another worker"]),
    ("only_pids_can_join", 'actor.register("gI") local e = failing(group.join, "gI", "gI") actor.unregister("gI") return e, #group.members("gI")', ["error: bad pid: a pid expected, got string", 0]),
    ("remote_members_are_listed_behind", 'local m = require "fsd.group.members" local p = other("receive()") local ref = group.monitor("gH") m.feed("gH", p, 2) group.join("gH") '
     'local a, l = #group.members("gH"), #group.local_members("gH") m.unfeed("gH", p, 2) return a, l, #group.members("gH"), receive()[3], receive()[3], receive()[3]', [3, 1, 1, "join", "join", "leave"]),
]

TOPICS = [
    ("a_subscriber_gets_what_is_published", 'pubsub.subscribe("t1") local sent, lost = pubsub.publish("t1", {"hi"}) return sent, lost, receive()[1]', [1, 0, "hi"]),
    ("nobody_gets_what_nobody_wants", 'return pubsub.publish("t2", 1)', [0, 0, 0, 0]),
    ("each_subscriber_gets_a_copy", 'local t = {1} pubsub.subscribe("t3") pubsub.publish("t3", t) t[1] = 2 return receive()[1]', [1]),
    ("a_tag_tells_where_it_came_from", 'pubsub.subscribe("t4", {as = "chat"}) pubsub.publish("t4", "m") return receive()', [["chat", "t4", "m"]]),
    ("a_second_subscription_replaces_the_first", 'pubsub.subscribe("t5") pubsub.subscribe("t5", {as = "x"}) pubsub.publish("t5", 1) return receive(), receive(0) == nil', [["x", "t5", 1], True]),
    ("another_can_be_subscribed", 'local p = other("send(args[1], receive())") pubsub.subscribe("t6", {pid = p}) pubsub.publish("t6", 7) return receive()', [7]),
    ("unsubscribe_ends_it", 'pubsub.subscribe("t7") local a, b = pubsub.unsubscribe("t7"), pubsub.unsubscribe("t7") return a, b, pubsub.publish("t7", 1)', [True, False, 0, 0, 0, 0]),
    ("publish_from_leaves_one_out", 'local p = other("send(args[1], {receive()})") pubsub.subscribe("t8") pubsub.subscribe("t8", {pid = p}) return pubsub.publish_from(self(), "t8", "m"), receive()', [1, ["m"]]),
    ("who_ends_is_no_subscriber_any_more", 'local p = other("pubsub.subscribe(\'t9\') pubsub.subscribe(\'t9:*\') send(args[1], 1) receive()") receive() exit(p, "kill") return pubsub.publish("t9", 1), pubsub.publish("t9:x", 1)', [0, 0, 0, 0, 0]),
    ("a_star_matches_all_that_begins_so", 'pubsub.subscribe("tA:*", {as = "x"}) pubsub.publish("tA:1", 1) pubsub.publish("tA:", 2) pubsub.publish("tA", 3) pubsub.publish("tB:1", 4) return receive(), receive(), receive(0) == nil',
     [["x", "tA:1", 1], ["x", "tA:", 2], True]),
    ("stars_of_all_lengths_match", 'pubsub.subscribe("tC:*", {as = 1}) pubsub.subscribe("tC:a:*", {as = 2}) pubsub.subscribe("tC:a:b", {as = 3}) local n = pubsub.publish("tC:a:b", "m") '
     'local t = {} for i = 1, n do t[receive()[1]] = true end return n, t', [3, [True, True, True]]),
    ("stars_of_one_length_come_and_go_alone", 'pubsub.subscribe("tS:a*") pubsub.subscribe("tS:b*") pubsub.unsubscribe("tS:a*") local t = {(pubsub.publish("tS:b", 1))} '
     'pubsub.unsubscribe("tS:b*") t[2] = pubsub.publish("tS:b", 1) pubsub.subscribe("tS:b*") t[3] = pubsub.publish("tS:b", 1) return t', [[1, 0, 1]]),
    ("a_star_alone_matches_everything", 'pubsub.subscribe("*", {as = "all"}) pubsub.publish("tD", 1) pubsub.unsubscribe("*") return receive(), pubsub.publish("tD", 1)', [["all", "tD", 1], 0, 0, 0, 0]),
    ("topics_lists_what_is_wanted", 'pubsub.subscribe("tE") pubsub.subscribe("tE:*") local t = {} for _, name in ipairs(pubsub.topics()) do if name:sub(1, 2) == "tE" then t[#t + 1] = name end end return t', [["tE", "tE:*"]]),
    ("publishing_does_not_wait_for_a_full_mailbox", 'local p = spawn("fsd.task.sleep(60)", {mailbox = 2}) pubsub.subscribe("tF", {pid = p}) local r = {} for i = 1, 4 do r[i] = {pubsub.local_publish("tF", i)} end kill(p) return r',
     [[[1, 0], [1, 0], [0, 1], [0, 1]]]),
    ("a_mailbox_that_drops_old_ones_has_the_newest", 'local p = spawn("gate([[tG]]):get() send(args[1], {receive(), receive()})", {mailbox = 2, overflow = "drop_old"}, self()) pubsub.subscribe("tG", {pid = p}) '
     'for i = 1, 5 do pubsub.publish("tG", i) end gate("tG"):put(1) return receive()', [[4, 5]]),
    ("local_publish_is_for_this_worker", 'pubsub.subscribe("tH") return pubsub.local_publish("tH", 5), receive()', [1, 5]),
    ("other_workers_are_told", 'local hub = require "fsd.pubsub.hub" local told = {} local forward, on_interest = hub.forward, hub.on_interest hub.forward = function(t, m) told[#told + 1] = {t, m} return 3, 1 end hub.on_interest = function(t, w) told[#told + 1] = {t, w} end '
     'pubsub.subscribe("tI") pubsub.subscribe("tI", {pid = other("receive()")}) local a, b, c, d = pubsub.publish("tI", 1) pubsub.local_publish("tI", 2) pubsub.unsubscribe("tI") hub.forward, hub.on_interest = forward, on_interest return told, a, b, c, d', [[["tI", True], ["tI", 1]], 2, 0, 3, 1]),
]

KEYS = [
    ("a_key_leads_to_its_holder", 'registry.put("k1", {v = 1}) local pid, value = registry.get("k1") return pid == self(), value', [True, {"v": 1}]),
    ("a_key_that_nobody_holds_is_nil", 'return registry.get("k2") == nil', [True]),
    ("a_key_is_held_by_one", 'local p = other("registry.put(\'k3\', 1) send(args[1], 1) receive()") receive() local _, e = fsd.try(registry.put, "k3", 2) return e.name, e.code, e.pid == p, e.message',
     ["RegistryError", "exists", True, 'cannot put "k3": another actor holds the key']),
    ("its_holder_may_change_the_value", 'registry.put("k4", 1) registry.put("k4", 2) return select(2, registry.get("k4"))', [2]),
    ("values_are_copies", 'local t = {1} registry.put("k5", t) t[1] = 2 local _, v = registry.get("k5") v[1] = 3 return select(2, registry.get("k5"))', [[1]]),
    ("who_ends_holds_nothing", 'local p = other("registry.put(\'k6\', 1) send(args[1], 1) receive()") receive() exit(p, "kill") return registry.get("k6") == nil', [True]),
    ("a_key_can_be_given_up", 'registry.put("k7", 1) return registry.delete("k7"), registry.delete("k7"), registry.get("k7") == nil', [True, False, True]),
    ("keys_are_those_of_an_actor", 'registry.put("k8", 1) registry.put(9, 1) registry.put(false, 1) local k = registry.keys(self()) return k', [["k8", 9, False]]),
    ("select_finds_by_a_function", 'for i = 1, 5 do registry.put("k9:" .. i, i) end local l = registry.select(function(key, pid, value) return tostring(key):sub(1, 3) == "k9:" and value > 3 end) return #l, l[1].key, l[1].value, l[1].pid == self()',
     [2, "k9:4", 4, True]),
    ("count_counts", 'local n = registry.count() registry.put("kA", 1) return registry.count() - n', [1]),
    ("duplicate_keys_have_many_holders", 'local r = registry.open("dup", {keys = "duplicate"}) r:put("x", 1) local p = other("registry.open(\'dup\', {keys = \'duplicate\'}):put(\'x\', 2) send(args[1], 1) receive()") receive() '
     'local l = r:get("x") kill(p) return #l, l[1].value, l[2].value, l[2].pid == p, #r:get("x"), r:get("y")[1] == nil', [2, 1, 2, True, 1, True]),
    ("registries_are_apart", 'registry.open("one"):put("k", 1) registry.open("two"):put("k", 2) return select(2, registry.open("one"):get("k")), registry.open("one"):keys()', [1, ["k"]]),
    ("a_registry_has_one_kind_of_keys", 'registry.open("three") return failing(registry.open, "three", {keys = "duplicate"})', ['error: the registry "three" has unique keys already']),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in GROUPS + TOPICS + KEYS], ids=[row[0] for row in GROUPS + TOPICS + KEYS])
def test_it(app, text, expected):
    assert app.run(HEAD + text) == expected


MISTAKES = [
    ("bad group", "group.join(5)", "bad name of a group: a string of 1 to 255 bytes expected"),
    ("star inside", 'pubsub.subscribe("a*b")', "bad topic: a * stands at the end only"),
    ("star in publish", 'pubsub.publish("a:*", 1)', "bad topic: only subscriptions may have a *"),
    ("empty topic", 'pubsub.subscribe("")', "bad topic: a string of 1 to 255 bytes expected"),
    ("unknown option", 'pubsub.subscribe("a", {x = 1})', 'unknown option "x"'),
    ("function in a message", 'pubsub.subscribe("zz") pubsub.publish("zz", print)', "cannot send a function"),
    ("bad key", "registry.put({}, 1)", "bad key: a string, an integer or a boolean expected"),
    ("bad value", "registry.put('x', print)", "cannot send a function"),
    ("bad keys", "registry.open('x', {keys = 'many'})", 'bad option "keys": "unique" or "duplicate" expected'),
]


@pytest.mark.parametrize("text, message", [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_mistakes_raise(app, text, message):
    assert message in app.run(HEAD + f"return try(function() {text} end)")[0]


@pytest.mark.parametrize("text", ['group.join("x")', 'group.monitor("x")', 'pubsub.subscribe("x")', 'registry.put("x", 1)'])
def test_a_request_is_no_member_of_anything(app, text):
    assert "only an actor can" in app.handle(f"local group, pubsub, registry = fsd.group, fsd.pubsub, fsd.registry local _, e = fsd.try(function() {text} end) return e.message")[0]


def test_a_request_can_publish_and_read(app):
    assert app.handle('return fsd.pubsub.publish("nobody", 1), #fsd.group.members("nobody"), fsd.registry.get("nobody") == nil') == [0, 0, True]


STRESS = '''
local function churn(i)
  return other("for n = 1, 60 do local t = 's' .. (n * " .. i .. ") % 7 pubsub.subscribe(t) group.join(t) registry.put('s' .. n .. ':" .. i .. "', n) " ..
    "pubsub.publish(t, n) pubsub.unsubscribe(t) group.leave(t) while receive(0) ~= nil do end if n % 5 == 0 then group.join(t) pubsub.subscribe(t .. '*') fsd.task.sleep(0) end end send(args[1], 'over') fsd.task.sleep(60)")
end
local all = {}
for i = 1, 100 do all[i] = churn(i) end
local n = 0
while n < 100 do if receive() == "over" then n = n + 1 end end
local joined, keys = 0, registry.count()
for i = 0, 6 do joined = joined + #group.members("s" .. i) end
for i, p in ipairs(all) do exit(p, "kill") end
local left = 0
for i = 0, 6 do left = left + #group.members("s" .. i) + pubsub.publish("s" .. i, 1) end
return joined, keys - registry.count(), left
'''.replace("\n", " ")


def test_lists_stay_whole_while_many_change_them(app):
    assert app.run(HEAD + STRESS) == [100 * 12, 100 * 60, 0]
