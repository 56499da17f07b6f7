#!/usr/bin/python3 -IS
"""A stand-in for fsd-worker that speaks the protocol of common/proto.h and does what a test wants.

What it does comes from two JSON files, since no environment reaches a worker:
  worker.json beside the path that it was started as:
    protocol   number to say in HELLO (6)
    hello      "ok" | "hang" | "exit:N" | "signal:N" | "garbage" | "twice" | "close"
    unavailable as load below, for UNAVAILABLE
    gate       path of a file: it says nothing before that is there
    prepare    as below, whatever the application wants
    loaded, activated  "ok" | "hang" | "exit:N" | "signal:N": how a worker with code ends that has just said so
  the application's main file, which the bundle tool copies into the bundle as it is:
    compile    "ok" | "hang" | "noise" | "huge" (a bundle larger than any may be) | any other text: printed to stderr, exit 65
    load       "ok" | "hang" | "exit:N" | "signal:N" | "wrong generation" | "active" | any other text: REFUSED with it
    activate   as load
    prepare    "ok" | "hang": never answered, but logged | "stop": as by SIGSTOP |
               "until:PATH" or "until:PATH:TEXT": "ok" or the text, when that file is there | "exit:N" | "signal:N" | any other text:
               REJECTED with it.  Of a change of code the new code says what is wanted, as load if it has no "prepare"
    commit     "ok" | "hang" | "stop" | "exit:N" | "signal:N" | "wrong generation", of code again the new one
    drain      "ok" | "hang" | "exit:N"
    heartbeat  "ok" | "stop": none once it is active, though it serves
    joins      with true it sends JOIN when it is active, asks for a link with each member that is older than itself, and says
               its slot over each link that it gets
    slots      the slots that load, activate, prepare and commit are for; others, and standbys, do "ok"
    stale      with true load is "ok" for a bundle of the first generation
It accepts from what is lent until that is returned, and empties its queues when a drain says so.  UNAVAILABLE makes it answer 503.
SIGUSR1 makes it ask to leave.
Over HTTP (one request a connection): GET /, /config, /shared (what it has of shared dictionaries), /members,
  /fds, /env, /exit/N, /signal/N, /close, /log/TEXT, /rawlog/HEX, /fork, /say/KIND, /ask/WHAT/NAME/TIMES/HEX (what
  is asked for, with this text behind it), /answers, /claim/SERIAL/WAITS/HEX and /unclaim/SERIAL/HEX (a name), /names (what
  was said of such),
  /laggards/GENERATION/COUNT/HEX (what it says that still runs on replaced code),
  /leave, /dying/N (says so and ends by that signal), /dying/N/hang (says so and does not end),
  /freeze (answers, then does nothing any more), /freeze/hard (the same, and SIGABRT does not end it)."""
import array
import fcntl
import json
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time

(HELLO, LOG, CONFIG, LOAD, UNAVAILABLE, LOADED, REFUSED, LISTENER, ACTIVATE, ACTIVE, RETURN, DRAIN, DRAINING, PREPARE, PREPARED,
 REJECTED, COMMIT, COMMITTED, ABORT, LEAVE, DYING, SHARED, UNSHARED, JOIN, MEMBER,
 REACH, PEER, GONE, CLAIM, UNCLAIM, NAMES, NAMED, UNNAMED, TAKEN, ASK, ANSWER, POOLS, LAGGARDS) = range(1, 39)
CHANGE_CONFIG = 1
HEARTBEAT_S = 0.2


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def read_memfd(fd):
    size = os.fstat(fd).st_size
    return os.pread(fd, size, 0)


def pack(value):
    """MessagePack, as much as a log record needs."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">Bq", 0xD3, value)
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
        return struct.pack(">BI", 0xDB, len(value)) + value
    if isinstance(value, list):
        return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(pack, value))
    pairs = b"".join(pack(key) + pack(item) for key, item in value.items())
    return struct.pack(">BI", 0xDF, len(value)) + pairs


def unpack(data, at=0):
    """Returns (value, next); the forms that fsd's own writer uses."""
    code = data[at]
    at += 1
    if code <= 0x7F or code >= 0xE0:
        return (code if code <= 0x7F else code - 256), at
    if code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[code], at
    numbers = {0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q", 0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}
    if code in numbers:
        form = ">" + numbers[code]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    if 0xA0 <= code <= 0xBF:
        count, kind = code & 0x1F, "str"
    elif 0x80 <= code <= 0x9F:
        count, kind = code & 0x0F, "map" if code < 0x90 else "array"
    else:
        form, kind = {0xD9: (">B", "str"), 0xDA: (">H", "str"), 0xDB: (">I", "str"), 0xDC: (">H", "array"),
                      0xDD: (">I", "array"), 0xDE: (">H", "map"), 0xDF: (">I", "map")}[code]
        count = struct.unpack_from(form, data, at)[0]
        at += struct.calcsize(form)
    if kind == "str":
        return data[at:at + count].decode(), at + count
    items = []
    for _ in range(count * (2 if kind == "map" else 1)):
        item, at = unpack(data, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2])) if kind == "map" else items), at


def await_file(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def end_as_told(what):
    """Carries out "exit:N", "signal:N" and "hang"; returns for anything else."""
    verb, _, number = what.partition(":")
    if verb == "exit" and number.isdigit():
        os._exit(int(number))
    if verb == "signal" and number.isdigit():
        signal.signal(int(number), signal.SIG_DFL) if int(number) not in (9, 19) else None
        os.kill(os.getpid(), int(number))
        time.sleep(60)
    if what == "hang":
        while True:
            time.sleep(60)


def bundle(argv):
    path = argv[argv.index("--app") + 1]
    try:
        with open(path, "rb") as file:
            code = file.read()
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return 66
    what = json.loads(code).get("compile", "ok")
    end_as_told(what)
    if what == "noise":
        os.write(2, b"\x1b[31m" + b"x" * 200000)
        return 65
    if what == "huge":
        os.ftruncate(3, 129 * 1024 * 1024)
    elif what != "ok":
        print(what, file=sys.stderr)
        return 65
    os.write(3, code)
    print("%064x 1 %d" % (hash(code) & (2 ** 64 - 1), len(code)))
    return 0


class Worker:
    def __init__(self, conf):
        self.conf = conf
        self.control = socket.socket(fileno=3)
        self.page = mmap.mmap(4, 64)
        self.listeners = {}  # socket: the slot that it belongs to
        self.pending = None  # (number, configuration) of a change
        self.retry_after = None  # of UNAVAILABLE
        self.log = None
        self.members = {}  # incarnation: [slot, pool]
        self.names = []  # what was said of them
        self.links = {}  # incarnation: a socket
        self.answers = []  # [number, code, text, what came with it]
        self.shared = {}  # name: (size, seed, descriptor)
        self.config = {}
        self.app = {}
        self.generation = 0
        self.requests = 0
        self.active = False
        number = sys.argv[1].rpartition("/")[2]  # the master writes POOL/SLOT there, for ps
        self.slot = int(number) if number.isdigit() else None

    def send(self, kind, payload=b"", fds=()):
        packet = struct.pack("=II", kind, len(payload)) + payload
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.control.sendmsg([packet], rights)

    def say(self, level, message, fields):
        self.log.send(pack([level, time.time_ns() // 1000, 0, message, fields]))

    def set_page(self, index, value):
        self.page[8 * index:8 * index + 8] = struct.pack("=Q", value)

    def hello(self):
        if "gate" in self.conf:
            await_file(self.conf["gate"])
        what = self.conf.get("hello", "ok")
        end_as_told(what)
        if what == "garbage":
            self.control.send(b"\xff" * 40)
        if what == "close":
            os.close(3)
            end_as_told("hang")
        self.set_page(0, 1)
        self.send(HELLO, struct.pack("=I28s", self.conf.get("protocol", 6), b"fake"))
        if what == "twice":
            self.send(HELLO, struct.pack("=I28s", 6, b"fake"))

    def wish(self, step, app=None):
        """What the application wants to happen at this step."""
        app = app or self.app
        if self.slot not in app.get("slots", [self.slot]):
            return "ok"
        return app.get(step, "ok")

    def answer(self, step, kind):
        """LOADED or ACTIVE, or what the application wants instead."""
        what = self.wish(step)
        end_as_told(what)
        number = struct.pack("=Q", self.generation)
        if what == "wrong generation":
            self.send(kind, struct.pack("=Q", self.generation + 7))
        elif what == "active":
            self.send(ACTIVE, number)
        elif what == "ok":
            self.send(kind, number)
            if self.retry_after is None:
                end_as_told(self.conf.get({LOADED: "loaded", ACTIVE: "activated"}[kind], "ok"))
        else:
            self.send(REFUSED, number + what.encode())
        return what == "ok"

    def on_message(self, kind, payload, fds):
        if kind == LOG:
            self.log = socket.socket(fileno=fds[0])
        elif kind == CONFIG:
            self.config, _ = unpack(read_memfd(fds[0]))
            os.close(fds[0])
        elif kind == SHARED:
            size, seed, name = struct.unpack("=QQ64s", payload)
            self.forget(name)
            self.shared[name] = (size, seed, fds[0])
        elif kind == UNSHARED:
            self.forget(struct.unpack("=QQ64s", payload)[2])
        elif kind == UNAVAILABLE:
            self.retry_after = struct.unpack("=Q", payload)[0]
            self.app = {"load": self.conf.get("unavailable", "ok")}
            self.answer("load", LOADED)
        elif kind == LISTENER:
            listener = socket.socket(fileno=fds[0])
            listener.setblocking(False)
            self.listeners[listener] = struct.unpack_from("=Q", payload)[0]
        elif kind == RETURN:
            slot = struct.unpack("=Q", payload)[0]
            for listener in [one for one, owner in self.listeners.items() if owner == slot]:
                del self.listeners[listener]
                listener.close()
        elif kind == LOAD:
            self.generation = struct.unpack("=Q", payload)[0]
            self.app = json.loads(read_memfd(fds[0]))
            os.close(fds[0])
            self.answer("load", LOADED)
        elif kind == ACTIVATE:
            self.slot = struct.unpack("=QQ", payload)[1]
            self.active = self.answer("activate", ACTIVE)
            self.set_page(2, self.generation)
            if self.active and self.app.get("joins"):
                self.send(JOIN)
        elif kind in (ANSWER, POOLS):
            number, code = struct.unpack_from("=QQ", payload)
            self.answers.append([number, code, payload[16:].decode(), unpack(read_memfd(fds[0]))[0] if fds else None])
            for fd in fds:
                os.close(fd)
        elif kind == MEMBER:
            self.on_member(*struct.unpack("=QQ64s", payload))
        elif kind == GONE:
            self.members.pop(struct.unpack("=QQ", payload)[0], None)
        elif kind == PEER:
            link = socket.socket(fileno=fds[0])
            link.send(b"slot %d" % self.slot)
            self.links[struct.unpack("=QQ", payload)[0]] = link
        elif kind in (NAMED, UNNAMED):
            incarnation, serial = struct.unpack_from("=QQ", payload)
            self.names.append([{NAMED: "named", UNNAMED: "unnamed"}[kind], incarnation, serial, payload[24:].decode()])
        elif kind == TAKEN:
            serial, _, why = struct.unpack_from("=QII", payload)
            self.names.append(["taken", serial, why, payload[16:].decode()])
        elif kind in (PREPARE, COMMIT, ABORT):
            self.on_change(kind, struct.unpack("=QQQ", payload), fds)
        elif kind == DRAIN:
            if self.active and struct.unpack("=QQ", payload)[1]:
                for listener in self.listeners:
                    while self.serve(listener):
                        pass
            self.control.send(struct.pack("=II", DRAINING, 0))
            end_as_told(self.app.get("drain", "ok"))
            os._exit(0)

    def on_member(self, incarnation, slot, pool):
        if incarnation not in self.members and incarnation < int(os.environ["FSD_INCARNATION"]):
            self.send(REACH, struct.pack("=QQ", incarnation, 0))
        self.members[incarnation] = [slot, pool.rstrip(b"\0").decode()]

    def describe_members(self):
        """Who is there, and what has come over the links."""
        said = {}
        for incarnation, link in self.links.items():
            try:
                said[incarnation] = link.recv(64, socket.MSG_PEEK | socket.MSG_DONTWAIT).decode()
            except OSError:
                said[incarnation] = None
        return {"slot": self.slot, "incarnation": int(os.environ["FSD_INCARNATION"]), "members": self.members, "said": said}

    def forget(self, name):
        if name in self.shared:
            os.close(self.shared.pop(name)[2])

    def describe_shared(self):
        return {name.rstrip(b"\0").decode(): {"size": size, "seed": seed, "inode": os.fstat(fd).st_ino,
                                              "seals": fcntl.fcntl(fd, fcntl.F_GET_SEALS), "bytes": os.fstat(fd).st_size}
                for name, (size, seed, fd) in self.shared.items()}

    def on_change(self, kind, change, fds):
        number, what, generation = change
        if kind == PREPARE:
            new = read_memfd(fds[0])
            os.close(fds[0])
            if what != CHANGE_CONFIG and generation <= self.generation:
                self.answer_change(PREPARED, number, "the generation is not newer than the running one")
                return
            self.pending = (number, generation, unpack(new)[0] if what == CHANGE_CONFIG else json.loads(new))
            self.answer_change(PREPARED, number, self.conf.get("prepare", self.wish_prepare()))
        elif self.pending is None or self.pending[0] != number:
            return
        elif kind == COMMIT:
            self.take_change()
            self.answer_change(COMMITTED, number, self.wish("commit"))
        else:
            self.pending = None

    def wish_prepare(self):
        _, generation, new = self.pending
        if generation == 0:
            return self.wish("prepare")
        return self.wish("prepare" if "prepare" in new else "load", new)

    def take_change(self):
        _, generation, new = self.pending
        self.pending = None
        if generation == 0:
            self.config = new
            return
        self.app, self.generation = new, generation
        if self.active:
            self.set_page(2, generation)

    def answer_change(self, kind, number, wish):
        if wish == "hang":
            self.say(6, "does not answer", {})
            return  # its heart goes on beating
        if wish.startswith("until:"):
            _, path, *text = wish.split(":", 2)
            await_file(path)
            wish = text[0] if text else "ok"
        if wish == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
            wish = "ok"
        end_as_told(wish)
        if wish == "ok":
            self.send(kind, struct.pack("=QQQ", number, 0, self.generation if kind == COMMITTED else 0))
        elif wish == "wrong generation":
            self.send(kind, struct.pack("=QQQ", number, 0, self.generation + 7))
        else:
            self.pending = None
            self.send(REJECTED, struct.pack("=QQQ", number, 0, 0) + wish.encode())

    def read_control(self):
        packet, rights, _, _ = self.control.recvmsg(65536, socket.CMSG_SPACE(16))
        if not packet:
            os._exit(0)
        fds = array.array("i")
        for _, _, data in rights:
            fds.frombytes(data)
        kind, size = struct.unpack_from("=II", packet)
        self.on_message(kind, packet[8:8 + size], list(fds))

    def serve(self, listener):
        """Whether there was a connection."""
        try:
            peer, _ = listener.accept()
        except OSError:  # nobody waits; or the slot is no more, and RETURN is on its way
            return False
        peer.setblocking(True)
        peer.settimeout(5)
        try:
            path = peer.recv(4096).split(b" ")[1].decode()
        except (OSError, IndexError):  # a client that says nothing
            peer.close()
            return True
        self.requests += 1
        self.set_page(3, self.requests)
        verb, _, rest = path[1:].partition("/")
        body = {"pid": os.getpid(), "slot": self.slot, "generation": self.generation,
                "body": self.app.get("body", "")}
        head = b"200 OK\r\n"
        if self.retry_after is not None:
            head = b"503 Service Unavailable\r\nRetry-After: %d\r\n" % self.retry_after
        if verb == "config":
            body = self.config
        elif verb == "shared":
            body = self.describe_shared()
        elif verb == "ask":
            what, name, times, text = rest.split("/", 3)
            for number in range(int(times)):
                self.send(ASK, struct.pack("=QQ64s", number, int(what), name.encode()) + bytes.fromhex(text))
        elif verb == "answers":
            body = self.answers
        elif verb in ("claim", "unclaim"):
            serial, *waits, name = rest.split("/")
            claim = struct.pack("=QII", int(serial), 1, int(waits[0]) if waits else 0)
            self.send(CLAIM if verb == "claim" else UNCLAIM, claim + bytes.fromhex(name))
        elif verb == "names":
            body = self.names
        elif verb == "members":
            body = self.describe_members()
        elif verb == "fds":
            body = {fd: os.readlink("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd") if
                    os.path.lexists("/proc/self/fd/" + fd)}
        elif verb == "env":
            body = dict(os.environ)
        elif verb == "log":
            self.say(6, rest.replace("%0A", "\n").replace("%1B", "\x1b"), {"n": 1, "f": 1.5, "ok": True, "none": None,
                                                                           "text": "two words"})
        elif verb == "rawlog":
            self.log.send(bytes.fromhex(rest))
        elif verb == "fork" and os.fork() == 0:
            if os.fork() > 0:
                os._exit(0)
            end_as_told("exit:9")
        elif verb == "say":
            kind = int(rest)
            self.send(kind, struct.pack("=QQ", 0, 0) if kind == REACH else struct.pack("=Q", self.generation))
        elif verb == "laggards":
            generation, count, text = rest.split("/", 2)
            self.send(LAGGARDS, struct.pack("=QQ", int(generation), int(count)) + bytes.fromhex(text))
        elif verb in ("exit", "signal"):
            end_as_told(verb + ":" + rest)
        elif verb == "close":
            os.close(3)
            end_as_told("hang")
        elif verb == "leave":
            self.send(LEAVE)
        elif verb == "dying":
            number, _, then = rest.partition("/")
            self.send(DYING, struct.pack("=Q", int(number)))
            end_as_told(then or "signal:" + number)
        elif verb == "freeze" and rest == "hard":
            signal.signal(signal.SIGABRT, signal.SIG_IGN)
        text = json.dumps(body).encode()
        peer.sendall(b"HTTP/1.1 " + head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(text) + text)
        peer.close()
        if verb == "freeze":
            end_as_told("hang")
        return True

    def run(self):
        signal.signal(signal.SIGUSR1, lambda *_: self.send(LEAVE))
        while True:
            if not (self.active and self.app.get("heartbeat") == "stop"):
                self.set_page(1, time.monotonic_ns() // 1000000)
            waiting = [self.control] + (list(self.listeners) if self.active else [])
            ready, _, _ = select.select(waiting, [], [], HEARTBEAT_S)
            for source in ready:
                if source is self.control:
                    self.read_control()
                elif source in self.listeners:  # else a message of this very turn has taken it away
                    self.serve(source)


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    conf = read_json(os.path.join(os.path.dirname(sys.argv[0]), "worker.json"))
    if "--tool" in sys.argv:
        sys.exit(bundle(sys.argv))
    worker = Worker(conf)
    worker.hello()
    worker.run()


main()
