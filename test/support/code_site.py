"""A worker whose code is changed in place, with us as its master, and an application that says which version of it answers."""
import json
import socket
import struct

from as_master import CHANGE_CODE, COMMIT, COMMITTED, LAGGARDS, PREPARE, PREPARED, Worker, make_bundle
from fsd_process import BUILD

# Which versions of the code there are still, by what each of them has put into kept.alive, whose keys are weak.
ALIVE = '''app:get("/alive", function()
  collectgarbage() collectgarbage()
  local found = fsd.json.array{}
  for _, number in pairs(kept.alive) do found[#found + 1] = number end
  table.sort(found)
  return found
end)'''

# Answers with its version; what it keeps is seen by all versions.  `alive` has each version's module table as a weak key.
APP = '''
local fsd = require "fsd"
local app = fsd.app()
local kept = fsd.state("kept", { alive = setmetatable({}, { __mode = "k" }), gate = fsd.task.channel(), ticks = {}, said = {} })
local version = { number = VERSION }
kept.alive[version] = VERSION
app:get("/", function() return { version = version.number, generation = fsd.worker.self().generation } end)
app:get("/wait", function(req, res, next) kept.waiting = true kept.gate:get() return { version = version.number, late = LATE } end)
app:get("/waits", function(req, res) return { kept.waiting or false } end)
app:get("/open", function() kept.gate:put(true) return { waiting = kept.waiting } end)
ALIVE
app:get("/kept", function() return { ticks = kept.ticks, said = fsd.json.array(kept.said) } end)
MORE
return app'''


def source(version, more="", late="version.number"):
    return APP.replace("ALIVE", ALIVE).replace("VERSION", str(version)).replace("MORE", more).replace("LATE", late)


class Client:
    """One connection that is kept."""

    def __init__(self, listener):
        self.peer = socket.create_connection(listener.getsockname(), timeout=30)

    def send(self, path="/"):
        self.peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return self

    def receive(self):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.peer.recv(4096)
            assert piece, "closed"
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        while len(body) < length:
            body += self.peer.recv(4096)
        assert head.startswith(b"HTTP/1.1 200"), data
        return json.loads(body)

    def ask(self, path="/"):
        return self.send(path).receive()


def laggards(site):
    body = site.worker.expect(LAGGARDS)
    return (*struct.unpack_from("=QQ", body), body[16:].decode().splitlines())


class Site:
    def __init__(self, tmp_path):
        self.folder, self.program, self.change = tmp_path, BUILD / "fsd-worker", 0
        self.worker, self.limits = None, {}

    def bundle(self, text, **files):
        for name, content in files.items():
            (self.folder / f"{name}.lua").write_text(content)
        return make_bundle(self.program, self.folder, text)

    def load(self, text, **files):
        self.worker = Worker(self.program, self.bundle(text, **files))
        self.worker.config["limits"].update(self.limits)
        self.worker.load()
        return self

    def serve(self, text, **files):
        self.load(text, **files)
        self.listener = self.worker.lend(0)
        self.worker.activate(7, 0)
        return self

    def client(self):
        return Client(self.listener)

    def begin(self, text, generation, **files):
        self.change += 1
        self.worker.tell_memfd(PREPARE, self.bundle(text, **files), struct.pack("=QQQ", self.change, CHANGE_CODE, generation))

    def expect(self, kind, generation=0):
        body = self.worker.expect_behind_join(kind)
        assert body[:24] == struct.pack("=QQQ", self.change, 0, generation)
        return body[24:].decode()

    def prepare(self, text, generation, **files):
        self.begin(text, generation, **files)
        self.expect(PREPARED)

    def tell(self, kind, what=0):
        self.worker.tell(kind, struct.pack("=QQQ", self.change, what, 0))

    def commit(self, generation):
        self.tell(COMMIT)
        self.expect(COMMITTED, generation)

    def put(self, text, generation, **files):
        self.prepare(text, generation, **files)
        self.commit(generation)
