"""Streams of events in a worker whose code is replaced: the handler changes, the client does not notice."""
import contextlib
import random
import socket
import struct

import pytest

from as_master import ABORT, CHANGE_CODE, PREPARE, PREPARED
from fsd_process import wait_for
from code_site import ALIVE, Site, laggards

# Each handler says which version it is and what it has found; /tell writes to all streams from another request.
APP = '''
local fsd = require "fsd"
local app = fsd.app()
local kept = fsd.state("kept", { alive = setmetatable({}, { __mode = "k" }), gate = fsd.task.channel(), said = {}, open = {} })
local version = { number = VERSION }
local function say(text) kept.said[#kept.said + 1] = text end
kept.alive[version] = VERSION
BEFORE
app:get("/said", function() return { said = fsd.json.array(kept.said) } end)
ALIVE
app:get("/pause", function() fsd.task.sleep(0.01) return {} end)
app:get("/open", function() kept.gate:put(true) return {} end)
app:get("/tell", function(req)
  local reached = 0
  for events in pairs(kept.open) do
    if not events.closed and events:try_send{ data = req.query.data, id = req.query.id } then reached = reached + 1 end
  end
  return { reached = reached }
end)
AFTER
return app'''
HANDLER = '''
app:get("/events", function(req, res)
  local events = res:sse{ keepalive = false }
  local state = events.state
  state.seen = (state.seen or "") .. version.number
  kept.same = kept.same == nil and events or kept.same == events and events
  events:send(("%s %s %s"):format(state.seen, events.last_event_id or "-", kept.same and "same" or "other"))
  BODY
end)'''
SLEEP = "kept.open[events] = true fsd.task.sleep(math.huge)"


def source(version, body=SLEEP, before="", handler=HANDLER):
    return APP.replace("ALIVE", ALIVE).replace("AFTER", handler.replace("BODY", body)).replace("BEFORE", before).replace("VERSION", str(version))


class Stream:
    """One stream of events, as a client sees it; nothing but whole chunks and whole events is accepted."""

    def __init__(self, listener, head="", receive_buffer=None):
        self.peer = socket.socket()
        if receive_buffer is not None:
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.peer.settimeout(30)
        self.peer.connect(listener.getsockname())
        self.peer.sendall(f"GET /events HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        self.data, self.text = b"", ""

    def fill(self):
        piece = self.peer.recv(65536)
        assert piece, ("closed", self.data)
        self.data += piece

    def head(self):
        while b"\r\n\r\n" not in self.data:
            self.fill()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        return head.decode().lower()

    def chunk(self):
        """The next chunk; empty at the end."""
        while b"\r\n" not in self.data:
            self.fill()
        size, _, rest = self.data.partition(b"\r\n")
        size = int(size, 16)
        while len(rest) < size + 2:
            self.fill()
            rest = self.data.partition(b"\r\n")[2]
        assert rest[size:size + 2] == b"\r\n"
        self.data = rest[size + 2:]
        return rest[:size].decode()

    def event(self):
        """The fields of the next event; None at a proper end of the stream."""
        while "\n\n" not in self.text:
            piece = self.chunk()
            if piece == "":
                assert self.text == ""
                return None
            self.text += piece
        block, _, self.text = self.text.partition("\n\n")
        return dict(line.split(": ", 1) for line in block.split("\n"))


def stream(site, **how):
    opened = Stream(site.listener, **how)
    assert "text/event-stream" in opened.head()
    return opened


def said(site):
    return site.client().ask("/said")["said"]


def wait_said(site, *texts):
    wait_for(lambda: said(site) == list(texts), f"{texts}")


def logged(site, wanted):
    """Waits for a line of the log with that in it."""
    site.worker.log.settimeout(30)
    while wanted.encode() not in (line := site.worker.log.recv(65536)):
        pass
    return line


@pytest.fixture
def site(tmp_path):
    one = Site(tmp_path)
    yield one
    if one.worker is not None:
        one.worker.end()


def test_a_stream_goes_on_in_new_code_with_its_state(site):
    site.serve(source(1))
    opened = stream(site)
    assert opened.event() == {"data": "1 - same"}
    site.put(source(2), 8)
    assert opened.event() == {"data": "12 - same"}
    site.put(source(3), 9)
    assert opened.event() == {"data": "123 - same"}
    wait_for(lambda: site.client().ask("/alive") == [3], "the old code to be collected")


def test_what_is_aborted_is_not_noticed(site):
    site.serve(source(1))
    opened = stream(site)
    assert opened.event() == {"data": "1 - same"}
    site.prepare(source(2), 8)
    site.tell(ABORT)
    site.put(source(3), 9)
    assert opened.event() == {"data": "13 - same"}


def test_the_last_event_id_is_that_of_the_last_event(site):
    site.serve(source(1))
    opened = stream(site, head="Last-Event-ID: a\r\n")
    assert opened.event() == {"data": "1 a same"}
    wait_for(lambda: site.client().ask("/tell?data=x&id=b") == {"reached": 1}, "the stream to be listed")
    assert opened.event() == {"data": "x", "id": "b"}
    assert site.client().ask("/tell?data=y") == {"reached": 1}
    assert opened.event() == {"data": "y"}
    site.put(source(2), 8)
    assert opened.event() == {"data": "12 b same"}
    assert site.client().ask("/tell?data=z&id=") == {"reached": 1}
    assert opened.event() == {"data": "z", "id": ""}
    site.put(source(3), 9)
    assert opened.event() == {"data": "123 - same"}


def test_handlers_see_an_error_with_the_code_reload_and_the_cleanup_runs_first(site):
    body = '''local closed <close> = setmetatable({}, { __close = function(_, err) say(err.name .. " " .. err.code) end })
      say("begun " .. version.number) kept.gate:get()'''
    site.serve(source(1, body))
    opened = stream(site)
    opened.event()
    site.put(source(2, body), 8)
    assert opened.event() == {"data": "12 - same"}
    wait_said(site, "begun 1", "CancelError reload", "begun 2")


def test_a_value_that_a_channel_has_given_is_sent_and_none_is_lost(site):
    body = "while true do events:send('got ' .. tostring(kept.gate:get())) end"
    site.serve(source(1, body))
    opened = stream(site)
    opened.event()
    for number in range(2, 12):
        site.prepare(source(number, body), 6 + number)
        site.client().ask("/open")
        site.commit(6 + number)
        events = [opened.event()["data"] for _ in range(2)]
        assert sorted(text.split()[0] for text in events) == sorted(["got", "".join(str(n) for n in range(1, number + 1))])


def test_a_stream_that_is_a_close_variable_goes_on(site):
    handler = HANDLER.replace("local events =", "local events <close> =")
    site.serve(source(1, handler=handler))
    opened = stream(site)
    opened.event()
    site.put(source(2, handler=handler), 8)
    assert opened.event() == {"data": "12 - same"}


def test_middleware_runs_again_and_what_it_sets_in_the_head_is_dropped(site):
    before = '''app:use(function(req, res, next)
      res:set("x-version", version.number):type("text/plain") req.headers = nil say("in " .. version.number) next() end)'''
    before = before.replace(" req.headers = nil", "")
    site.serve(source(1, before=before))
    opened = stream(site)
    assert opened.event() == {"data": "1 - same"}
    site.put(source(2, before=before), 8)
    assert opened.event() == {"data": "12 - same"}
    assert "in 2" in said(site)


def test_new_code_may_replace_the_state_and_set_nothing_else(site):
    body = '''if version.number == 1 then events.state = { seen = "x" } end
      say(select(2, pcall(function() events.closed = true end)).message or "no message")
      say(select(2, pcall(function() events.state = 1 end)).message or "no message") kept.gate:get()'''
    site.serve(source(1, body))
    opened = stream(site)
    opened.event()
    site.put(source(2, body), 8)
    assert opened.event() == {"data": "x2 - same"}


@pytest.mark.parametrize("handler, before, status, reason", [
    ("", "", 404, None),
    ("app:post('/events', function() return 204 end)", "", 405, None),
    ("app:get('/events', function() error('broken handler') end)", "", 500, "broken handler"),
    ("app:get('/events', function(req, res) res:send('words') end)", "", 200, None),
    ("app:get('/events', function(req, res) res:write('words') fsd.task.sleep(math.huge) end)", "", 200, None),
    ("app:get('/events', function(req, res) res:status(201):sse() end)", "", 500, "cannot send events with status 201"),
    (HANDLER, "app:use(function(req, res, next) if req.path == '/events' then return 403 end next() end)", 403, None),
], ids=["no_route", "no_method", "error", "another_answer", "another_stream", "wrong_status", "refused"])
def test_a_stream_that_new_code_does_not_take_ends_well_and_is_logged(site, handler, before, status, reason):
    site.serve(source(1))
    opened = stream(site)
    opened.event()
    site.put(source(2, before=before, handler=handler), 8)
    assert set(opened.event()) == {"retry"}
    assert opened.event() is None
    if reason is not None:
        assert reason.encode() in logged(site, "error in request")
    assert b"/events" in logged(site, f"a stream of events has ended: the new code answers with {status}")
    opened.peer.sendall(b"GET /said HTTP/1.1\r\nHost: x\r\n\r\n")  # the connection goes on
    assert "http/1.1 200" in opened.head()


def test_a_handler_that_fails_later_cuts_its_stream(site):
    site.serve(source(1))
    opened = stream(site)
    opened.event()
    site.put(source(2, "fsd.task.yield() error('too late')"), 8)
    assert opened.event() == {"data": "12 - same"}
    assert b"too late" in logged(site, "error in request")
    with pytest.raises(AssertionError, match="closed"):
        opened.event()


def test_the_end_of_a_handler_that_was_not_told_ends_the_stream(site):
    site.serve(source(1, "local wait = fsd.task.spawn(function() kept.gate:get() end) wait:join()"))
    opened = stream(site)
    opened.event()
    site.put(source(2), 8)
    assert laggards(site)[:2] == (7, 2)  # the handler, and the task that it waits for
    site.client().ask("/open")
    assert opened.event() is None


def test_a_handler_that_waits_elsewhere_offers_a_place_by_a_sleep_of_no_time(site):
    site.serve(source(1, "fsd.task.spawn(function() kept.gate:get() end):join() say('joined') fsd.task.sleep(0) say('not here')"))
    opened = stream(site)
    opened.event()
    site.put(source(2), 8)
    assert said(site) == []
    site.client().ask("/open")
    assert opened.event() == {"data": "12 - same"}
    assert said(site) == ["joined"]


def test_a_handler_that_closes_its_stream_on_its_way_out_means_it(site):
    site.serve(source(1, "pcall(kept.gate.get, kept.gate) events:send('bye') events:close()"))
    opened = stream(site)
    opened.event()
    site.put(source(2), 8)
    assert opened.event() == {"data": "bye"}
    assert opened.event() is None


def test_an_error_on_the_way_out_is_logged_and_the_stream_goes_on(site):
    site.serve(source(1, "pcall(kept.gate.get, kept.gate) events:send('bye') error('on the way out')"))
    opened = stream(site)
    opened.event()
    site.put(source(2), 8)
    assert opened.event() == {"data": "bye"}
    assert opened.event() == {"data": "12 - same"}
    assert b"on the way out" in logged(site, "error in request")


def test_a_handler_in_the_middle_of_something_is_not_told_before_its_time_is_over(site):
    site.limits = {"replaced_ms": 300, "request_timeout_ms": 60000}
    body = "local group = fsd.task.wait_group() group:add(1) group:wait()"
    site.serve(source(1, body))
    opened = stream(site)
    opened.event()
    site.put(source(2), 8)
    generation, count, lines = laggards(site)
    assert (generation, count) == (7, 1) and lines[0].startswith("request GET /events since ")
    assert opened.event() == {"data": "12 - same"}
    assert laggards(site)[:2] == (0, 0)


def test_a_handler_that_goes_on_is_told_once_and_cut_short_when_its_time_is_over(site):
    site.limits = {"replaced_ms": 300, "request_timeout_ms": 60000}
    site.serve(source(1, "while true do local _, err = pcall(kept.gate.get, kept.gate) say(err.code) end"))
    opened = stream(site)
    opened.event()
    site.put(source(2), 8)
    assert opened.event() == {"data": "12 - same"}
    wait_said(site, "reload", "replaced")


def test_an_event_that_a_slow_client_has_not_taken_is_not_torn(site):
    body = "for i = 1, 1000 do events:send{ id = i, data = ('x'):rep(20000) } end kept.gate:get()"
    site.serve(source(1, body))
    opened = stream(site, receive_buffer=4096)
    site.put(source(2, "events:send('and on') " + SLEEP), 8)
    assert laggards(site)[:2] == (7, 1)
    assert opened.event() == {"data": "1 - same"}
    for number in range(1, 1001):
        assert opened.event() == {"id": str(number), "data": "x" * 20000}
    assert opened.event() == {"data": "12 1000 same"}
    assert opened.event() == {"data": "and on"}


SLOW_START = '''app:use(function(req, res, next)
  if req.path == "/events" and version.number > 1 then say("waits " .. version.number) kept.gate:get() end next() end)'''


def test_a_change_in_the_middle_of_another_one(site):
    site.serve(source(1))
    opened = stream(site)
    opened.event()
    site.put(source(2, before=SLOW_START), 8)
    wait_said(site, "waits 2")
    assert site.client().ask("/tell?data=between") == {"reached": 1}  # it is open all the time
    assert opened.event() == {"data": "between"}
    site.put(source(3, before=SLOW_START), 9)
    wait_said(site, "waits 2", "waits 3")
    site.client().ask("/open")
    assert opened.event() == {"data": "13 - same"}


def test_a_drain_in_the_middle_of_a_change_ends_the_stream_with_a_hint(site):
    site.serve(source(1))
    opened = stream(site)
    opened.event()
    site.put(source(2, before=SLOW_START), 8)
    wait_said(site, "waits 2")
    site.worker.drain()
    assert set(opened.event()) == {"retry"}
    assert opened.event() is None
    assert site.worker.wait_exit() == 0


def test_a_client_that_leaves_in_the_middle_of_a_change(site):
    site.serve(source(1))
    opened = stream(site)
    opened.event()
    before = SLOW_START.replace("kept.gate:get()", "local ok, err = pcall(kept.gate.get, kept.gate) say(err.code)")
    site.put(source(2, before=before), 8)
    wait_said(site, "waits 2")
    opened.peer.close()
    wait_said(site, "waits 2", "aborted")


def test_an_answer_in_pieces_that_is_no_stream_of_events_finishes_on_its_code(site):
    handler = "app:get('/events', function(req, res) res:type('text/event-stream') res:write('a') kept.gate:get() res:write('b') end)"
    site.serve(source(1, handler=handler))
    opened = stream(site)
    assert opened.chunk() == "a"
    site.put(source(2), 8)
    site.client().ask("/open")
    assert [opened.chunk(), opened.chunk()] == ["b", ""]


def test_many_streams_go_on_over_many_changes(site):
    site.serve(source(1, "kept.gate:get()"))
    streams = [stream(site) for _ in range(100)]
    for opened in streams:
        assert opened.event()["data"].startswith("1 - ")
    for number in range(2, 12):
        site.put(source(number, "kept.gate:get()"), 6 + number)
        for opened in streams:
            assert opened.event()["data"].split()[0] == "".join(str(n) for n in range(1, number + 1))
    wait_for(lambda: site.client().ask("/alive") == [11], "the old code to be collected")


def take_some(streams, chance):
    for opened in streams:
        if chance.random() < 0.7:
            with contextlib.suppress(BlockingIOError):
                assert opened.peer.recv(65536)


def test_slow_clients_and_many_changes_do_not_end_the_worker(site):
    """What is written between two turns of libh2o, and is all that the kernel takes just then."""
    body = "while true do events:send(('x'):rep(math.random(60000))) fsd.task.sleep(math.random() * 0.02) end"
    client, chance = site.serve(source(1, body)).client(), random.Random(1)
    pieces = [site.bundle(source(number, body)) for number in (1, 2)]
    streams = [stream(site, receive_buffer=chance.choice([2048, 65536])) for _ in range(60)]
    for opened in streams:
        opened.peer.setblocking(False)
    for number in range(200):
        site.change += 1
        site.worker.tell_memfd(PREPARE, pieces[number % 2], struct.pack("=QQQ", site.change, CHANGE_CODE, 8 + number))
        site.expect(PREPARED)
        site.commit(8 + number)
        assert client.ask("/pause") == {}
        take_some(streams, chance)
    assert said(site) == []
