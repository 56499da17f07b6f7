"""The chat example: people in three workers talk while workers are killed."""
import http.client
import json
import os
import pathlib
import signal
import sys
import threading

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "test/support"))
from app_process import AppProcess  # noqa: E402
from fsd_process import wait_for  # noqa: E402

WORKERS = 3
ROOMS = ["lobby", "lua", "music"]


def places(server):
    """Where each room is, None for one that is nowhere; asked of whatever worker answers."""
    try:
        return {room["id"]: room.get("worker") for room in server.get("/rooms").json()}
    except OSError:
        return {}


def wait_rooms(server):
    return wait_for(lambda: (found := places(server)) and None not in found.values() and found, "all rooms to be there", 20)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    process = AppProcess(tmp_path_factory.mktemp("chat"), HERE / "app.lua", workers=WORKERS)
    try:
        process.start_ready()
        wait_rooms(process)
        yield process
    finally:
        process.kill()


class Reader(threading.Thread):
    """Reads a room as a browser does: connects again with the number of the last message.  messages are all that came."""

    def __init__(self, server, room):
        super().__init__(daemon=True)
        self.server, self.room = server, room
        self.messages, self.workers, self.is_over = [], [], False
        self.start()

    def run(self):
        while not self.is_over:
            try:
                self.read_stream()
            except (OSError, http.client.HTTPException):
                pass  # its worker was killed

    def read_stream(self):
        headers = {"last-event-id": str(self.messages[-1]["id"])} if self.messages else {}
        connection = http.client.HTTPConnection(self.server.address(), timeout=30)
        try:
            connection.request("GET", f"/rooms/{self.room}/events", headers=headers)
            event = {}
            for line in connection.getresponse():
                if self.is_over:
                    return
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field:
                    event[field] = value
                elif "data" in event:
                    self.on_event(event)
                    event = {}
        finally:
            connection.close()

    def on_event(self, event):
        if event.get("event") == "worker":
            self.workers.append(int(event["data"]))
            return
        message = json.loads(event["data"])
        assert str(message["id"]) == event["id"]
        self.messages.append(message)

    def keys(self):
        return {message["key"] for message in self.messages}


@pytest.fixture
def read(server):
    """read(room) starts a reader, which ends with the test."""
    readers = []

    def start(room):
        readers.append(Reader(server, room))
        return readers[-1]

    yield start
    for reader in readers:
        reader.is_over = True


def say(server, room, who, text, key):
    """Says it until there is an answer, as the page does; the message as the room has it."""
    def try_once():
        try:
            answer = server.request("POST", f"/rooms/{room}/messages", {"who": who, "text": text, "key": key})
        except (OSError, http.client.HTTPException):
            return None
        assert answer.status in (201, 503), answer.text
        return answer.json() if answer.status == 201 else None

    return wait_for(try_once, f"{key} to be said", 20)


class Talker(threading.Thread):
    """Says one thing after the other until it is stopped."""

    def __init__(self, server, room, who):
        super().__init__(daemon=True)
        self.server, self.room, self.who = server, room, who
        self.said, self.is_over, self.failure = [], False, None
        self.start()

    def run(self):
        try:
            while not self.is_over:
                number = len(self.said)
                self.said.append(say(self.server, self.room, self.who, str(number), f"{self.who}:{number}"))
        except Exception as failure:  # noqa: BLE001 - told by the test
            self.failure = failure

    def stop(self):
        self.is_over = True
        self.join(30)
        assert self.failure is None and not self.is_alive(), self.failure


def readers_everywhere(read, room, at_least):
    """Readers in all workers, so many in each."""
    readers = []

    def is_enough():
        readers.append(read(room))
        wait_for(lambda: readers[-1].workers, "the first event")
        return all(sum(reader.workers[0] == slot for reader in readers) >= at_least for slot in range(WORKERS))

    wait_for(is_enough, "readers in all workers", 20)
    return readers


def kill_worker_of(server, room):
    """Kills the worker in which the room is, and waits until the room is there again."""
    slot = wait_rooms(server)[room]
    row = next(row for row in server.workers() if row["slot"] == slot)
    os.kill(row["pid"], signal.SIGKILL)
    server.wait_workers(lambda rows: all(one["state"] == "ready" and one["pid"] != row["pid"] for one in rows if one["slot"] is not None),
                        "a successor")
    wait_rooms(server)
    return slot


def is_rising(numbers):
    return all(a < b for a, b in zip(numbers, numbers[1:]))


def test_rooms_are_spread_over_the_workers(server):
    found = wait_rooms(server)
    assert list(found) == ROOMS
    assert len(set(found.values())) > 1


def test_what_is_said_in_one_worker_is_read_in_all(server, read):
    readers = readers_everywhere(read, "lua", 1)
    said = [say(server, "lua", "ann", f"text {number}", f"ann:{number}") for number in range(10)]
    for reader in readers:
        wait_for(lambda: len(reader.messages) == len(said), "all that was said")
        assert reader.messages == said
    assert say(server, "lua", "ann", "once more", "ann:3") == said[3]
    late = read("lua")
    wait_for(lambda: late.messages == said, "what was said before")
    elsewhere = read("music")
    wait_for(lambda: elsewhere.workers, "the first event")
    assert elsewhere.messages == []


@pytest.mark.parametrize("room, message, status", [
    ("nowhere", {"who": "a", "text": "b", "key": "c"}, 404),
    ("lobby", {"who": "", "text": "b", "key": "c"}, 422),
    ("lobby", {"who": "a", "text": "x" * 2001, "key": "c"}, 422),
    ("lobby", {"who": "a", "text": "b"}, 422),
    ("lobby", "nonsense", 400),
])
def test_what_is_no_message_is_refused(server, room, message, status):
    headers = {"content-type": "application/json"} if isinstance(message, str) else {}
    assert server.request("POST", f"/rooms/{room}/messages", message, headers).status == status


def test_the_page_is_served(server):
    answer = server.get("/")
    assert answer.status == 200 and "EventSource" in answer.text


def test_nothing_is_missed_while_workers_are_killed(server, read):
    readers = readers_everywhere(read, "lobby", 2)
    talkers = [Talker(server, "lobby", who) for who in ("ann", "bob", "eve")]
    killed = set()
    for _ in range(2):
        heard = [len(talker.said) for talker in talkers]
        wait_for(lambda: all(len(talker.said) > before + 5 for talker, before in zip(talkers, heard)), "talk", 20)
        killed.add(kill_worker_of(server, "lobby"))
    heard = [len(talker.said) for talker in talkers]
    wait_for(lambda: all(len(talker.said) > before + 5 for talker, before in zip(talkers, heard)), "talk", 20)
    for talker in talkers:
        talker.stop()
    check_readers(readers, talkers, killed)


def check_readers(readers, talkers, killed):
    said = {f"{talker.who}:{number}" for talker in talkers for number in range(len(talker.said))}
    for reader in readers:
        wait_for(lambda: said <= reader.keys(), "all that was said", 20)
        assert is_rising([message["id"] for message in reader.messages])
    steady = [reader for reader in readers if reader.workers[0] not in killed]
    assert steady and all(len(reader.workers) == 1 for reader in steady)
    for reader in steady:
        assert len(reader.keys()) == len(reader.messages)
        for talker in talkers:
            assert [message["text"] for message in reader.messages if message["who"] == talker.who] == [str(number) for number in range(len(talker.said))]
    moved = [reader for reader in readers if reader not in steady]
    assert moved and all(len(reader.workers) > 1 for reader in moved)
