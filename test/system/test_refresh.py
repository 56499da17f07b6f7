"""Pages that browsers have open follow the code of a worker that changes in place: the worker's side, with a test as its master."""
import http.client
import os
import pathlib
import re
import struct
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from as_master import (ABORT, CHANGE_CODE, COMMIT, COMMITTED, PREPARE, PREPARED, REJECTED, Worker,  # noqa: E402
                       make_bundle)
from fsd_process import BUILD, wait_for  # noqa: E402

APP = """local fsd = require "fsd"
local app = fsd.app()
local kept = fsd.state("kept", { gate = fsd.task.channel() })
app:get("/", function(req, res) res:type("html"):send("<p>VERSION</p>") end)
app:get("/settings", function() return { app:setting("env"), app:setting("view_cache") } end)
app:get("/native", fsd.respond("<p>VERSION</p>", { type = "text/html" }))
app:get("/wait", function(req, res) kept.waits = true kept.gate:get() res:type("html"):send("<p>VERSION</p>") end)
app:get("/waits", function() return { kept.waits or false } end)
app:get("/open", function() kept.gate:put(true) return {} end)
app:get("/stream", function(req, res) res:type("html"):write("<p>VERSION</p>") end)
return app
"""
BROWSER = {"accept": "text/html,*/*;q=0.8", "sec-fetch-dest": "document"}
TAG = re.compile(r'\n<script src="/\.fsd/refresh\.js" data-code="(\d+-\d+)"></script>\n')


class Site:
    """A worker of generation 7, and we are its master."""

    def __init__(self, folder, refreshes=1):
        self.folder, self.change, self.connections = folder, 0, []
        self.worker = Worker(BUILD / "fsd-worker", self.bundle(APP))
        self.worker.config["refreshes"] = refreshes
        self.worker.load()
        self.listener = self.worker.lend(0)
        self.worker.activate(7, 0)

    def bundle(self, text):
        return make_bundle(BUILD / "fsd-worker", self.folder, text)

    def begin(self, text, generation):
        self.change += 1
        self.worker.tell_memfd(PREPARE, self.bundle(text), struct.pack("=QQQ", self.change, CHANGE_CODE, generation))

    def tell(self, kind):
        self.worker.tell(kind, struct.pack("=QQQ", self.change, 0, 0))

    def put(self, text, generation):
        self.begin(text, generation)
        self.worker.expect_behind_join(PREPARED)
        self.tell(COMMIT)
        self.worker.expect(COMMITTED)

    def ask(self, path, method="GET"):
        """Sends a request; its answer is still to be read."""
        self.connections.append(http.client.HTTPConnection(*self.listener.getsockname(), timeout=30))
        self.connections[-1].request(method, path, headers=BROWSER)
        return self.connections[-1]

    def get(self, path, method="GET"):
        return self.ask(path, method).getresponse().read().decode()

    def stream(self):
        return self.ask("/.fsd/refresh").getresponse()

    def code(self, generation):
        return f"{os.getpid()}-{generation}"

    def end(self):
        for one in self.connections:
            one.close()
        self.worker.end()


def read_code(stream):
    """What the next event says."""
    while line := stream.readline():
        if line.startswith(b"data: "):
            return line[len(b"data: "):].decode().rstrip("\n")
    raise AssertionError("the stream ended without an event")


@pytest.fixture
def site(tmp_path):
    one = Site(tmp_path)
    yield one
    one.end()


@pytest.mark.basic
def test_a_commit_is_told_to_the_pages_that_are_open(site):
    streams = [site.stream(), site.stream()]
    assert [read_code(one) for one in streams] == [site.code(7)] * 2
    for generation in (8, 9):
        site.put(APP.replace("VERSION", str(generation)), generation)
        assert [read_code(one) for one in streams] == [site.code(generation)] * 2
    assert site.get("/") == f'<p>9</p>\n<script src="/.fsd/refresh.js" data-code="{site.code(9)}"></script>\n'
    assert read_code(site.stream()) == site.code(9)


def test_code_that_is_not_committed_is_told_to_nobody(site):
    stream = site.stream()
    assert read_code(stream) == site.code(7)
    site.begin("error('boom')", 8)
    site.worker.expect(REJECTED)
    site.begin(APP, 9)
    site.worker.expect(PREPARED)
    assert TAG.search(site.get("/"))[1] == site.code(7)
    site.tell(ABORT)
    site.put(APP, 10)
    assert read_code(stream) == site.code(10)


def test_a_page_names_the_code_that_made_it(site):
    late = site.ask("/wait")
    wait_for(lambda: site.get("/waits") == "[true]", "the handler to wait")
    site.put(APP.replace("VERSION", "8"), 8)
    site.get("/open")
    text = late.getresponse().read().decode()
    assert text.startswith("<p>VERSION</p>") and TAG.search(text)[1] == site.code(7)
    for path in ("/", "/native", "/nowhere"):
        assert TAG.search(site.get(path))[1] == site.code(8)


def test_answers_without_a_whole_body_are_left_alone(site):
    assert site.get("/stream") == "<p>VERSION</p>"
    assert site.get("/stream", "HEAD") == ""
    assert TAG.search(site.get("/"))[1] == site.code(7), "it is the same worker"


def test_without_being_told_to_nothing_is_added(tmp_path):
    one = Site(tmp_path, refreshes=0)
    assert one.get("/") == "<p>VERSION</p>" and not TAG.search(one.get("/nowhere"))
    assert one.ask("/.fsd/refresh").getresponse().status == 404
    one.end()


def test_an_application_in_development_keeps_its_views(site):
    assert site.get("/settings") == '["development",true]'
