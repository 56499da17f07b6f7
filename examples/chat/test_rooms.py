"""Rooms and feeds of the chat example, one by one: an actor of the test says what others would."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "test/support"))
from actor_app import FILES, ActorApp  # noqa: E402
from app_process import AppProcess  # noqa: E402

HEAD = '''
local Room, Feed, history = require "room", require "feed", require "history"
local function news(feed, what) send(feed, { "room", "room:x", what }) end
local function message(id, key) return { id = id, who = "ann", text = "text", key = key or tostring(id) } end
local function ids(messages) local t = {} for i, m in ipairs(messages) do t[i] = m.id end return t end
local function recent(feed) return ids(call(feed, { "recent", "x" })) end
'''.replace("\n", " ")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    process = AppProcess(tmp_path_factory.mktemp("rooms"), {**FILES, **{f"lib/{path.name}": path.read_text() for path in (HERE / "lib").glob("*.lua")}})
    try:
        yield ActorApp(process.start_ready())
    finally:
        process.kill()


ROWS = [
    ("a_room_numbers_what_is_said", 'local room = Room.start { args = { id = "x" } } local a, b = Room.say(room, message(0, "a")), Room.say(room, message(0, "b")) return b.id > a.id, a.who, a.text, a.key', [True, "ann", "text", "a"]),
    ("what_is_said_twice_is_heard_once", 'local room = Room.start { args = { id = "x" } } local a, b = Room.say(room, message(0, "a")), Room.say(room, message(0, "a")) return a.id == b.id', [True]),
    ("a_feed_hears_rooms", 'local feed = Feed.start {} local room = Room.start { args = { id = "x" } } Room.say(room, message(0, "a")) return #recent(feed)', [1]),
    ("a_reader_gets_what_is_behind_its_last", 'local feed = Feed.start {} news(feed, { after = 0, messages = { message(1), message(2), message(3) } }) return ids(call(feed, { "after", "x", 1 }))', [[2, 3]]),
    ("a_reader_waits_for_news", 'local feed = Feed.start {} spawn("send(args[1], call(args[2], {[[after]], [[x]], 0}))", nil, self(), feed) local early = receive(0.01) news(feed, { after = 0, messages = { message(1) } }) '
     'return early == nil, ids(receive())', [True, [1]]),
    ("a_feed_that_missed_something_asks_the_room", 'local feed = Feed.start {} news(feed, { room = self(), after = 5, messages = { message(6) } }) local m = receive() news(feed, { after = m[3], messages = { message(5), message(6) } }) '
     'return m[1], m[2] == feed, m[3], recent(feed)', ["since", True, 0, [5, 6]]),
    ("a_room_says_what_a_feed_missed", 'local room = Room.start { args = { id = "x" } } local a = Room.say(room, message(0, "a")) Room.say(room, message(0, "b")) send(room, { "since", self(), a.id }) '
     'local m = receive() return m[1], m[2], m[3].after == a.id, m[3].room == nil, m[3].messages[1].key', ["room", "room:x", True, True, "b"]),
    ("a_feed_hears_nothing_twice", 'local feed = Feed.start {} news(feed, { after = 0, messages = { message(1), message(2) } }) news(feed, { after = 0, messages = { message(1), message(2), message(3), message(4, "2") } }) '
     'news(feed, { after = 4, messages = { message(5) } }) return recent(feed)', [[1, 2, 3, 5]]),
    ("a_new_room_goes_on_where_the_last_one_ended", 'local feed = Feed.start {} local room = Room.start { args = { id = "z" } } local a = Room.say(room, message(0, "a")) exit(room, "kill") room = Room.start { args = { id = "z" } } '
     'local b = Room.say(room, message(0, "b")) local again = Room.say(room, message(0, "a")) local t = ids(call(feed, { "recent", "z" })) return b.id > a.id, again.id == a.id, #t, t[1] == a.id', [True, True, 2, True]),
    ("a_new_feed_hears_what_was_said_before", 'local room = Room.start { args = { id = "w" } } Room.say(room, message(0, "a")) local feed = Feed.start {} Room.say(room, message(0, "b")) '
     'local n = 0 while n < 2 do n = #call(feed, { "recent", "w" }) fsd.task.sleep(0) end return n', [2]),
    ("a_silent_room_says_how_far_it_is", 'fsd.pubsub.subscribe("room:y") local room = Room.start { args = { id = "y" } } local first, again = receive(), receive() return first.after, again.after, #again.messages', [0, 0, 0]),
    ("two_memories_become_one", 'local h = history.new() h:add(message(1)) h:add(message(3)) h:merge { message(2), message(3), message(4) } return ids(h:since(0)), h.last, h:find("2").id', [[1, 2, 3, 4], 4, 2]),
    ("what_is_old_is_forgotten", 'local h = history.new() for i = 1, 205 do h:add(message(i)) end local t = ids(h:since(0)) return #t, t[1], h:find("5") == nil, h:find("6").id', [200, 6, True, 6]),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_it(app, text, expected):
    assert app.run(HEAD + text + ' ') == expected
