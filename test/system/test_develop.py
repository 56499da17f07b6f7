"""`fsd run` for who develops: files that are saved are reloaded, and one line says what came of it."""
import contextlib
import os
import pathlib
import re
import select
import subprocess

import pytest
from fsd_process import BUILD, wait_for

APP = """local fsd = require "fsd"
local app = fsd.app()
local word = require "lib.word"
app:get("/", function(req, res) res:send(word) end)
app:get("/page", function(req, res) res:type("html"):send("<p>" .. word .. "</p>") end)
app:get("/data", function(req, res) res:json { word = word } end)
app:get("/broken", function() error("boom") end)
app:post("/page", function(req, res) res:type("html"):send("<p>" .. word .. "</p>") end)
return app
"""

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "sec-fetch-dest": "document"}
SCRIPT = re.compile(r'\n<script src="/\.fsd/refresh\.js" data-code="(\d+-\d+)"></script>\n')


def page_code(service):
    """The code that made the page, as the page's script knows it."""
    return SCRIPT.search(service.get("/page", headers=BROWSER).text)[1]


def read_event(stream):
    """The data of the first event of a stream."""
    for line in iter(stream.readline, b""):
        if line.startswith(b"data: "):
            return line[len(b"data: "):].decode().rstrip("\n")
    raise AssertionError("the stream ended without an event")


def open_stream(connection):
    connection.request("GET", "/.fsd/refresh", headers={"accept": "text/event-stream"})
    stream = connection.getresponse()
    assert stream.status == 200 and stream.getheader("content-type") == "text/event-stream"
    return stream


def is_watching(service):
    for entry in pathlib.Path(f"/proc/{service.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a connection may have ended
            if "inotify" in os.readlink(entry):
                return True
    return False


@pytest.fixture
def run(make_service):
    """An application of two files that is watched."""
    service = make_service({"app.lua": APP, "lib/word.lua": 'return "one"\n'})
    service.watches = True
    return service.start_ready()


def code(service, name):
    return service.app_path.parent / name


def wait_out(service, *wanted):
    """Waits until so many lines are printed after the greeting, and compares their beginnings and ends; that it takes long may be said."""
    def find():
        lines = [line for line in service.out().splitlines()[2:] if not line.startswith("still loading: ")]
        return lines if len(lines) >= len(wanted) else None

    lines = wait_for(find, f"{wanted} on stdout, where there is {service.out()!r}")
    for line, want in zip(lines, wanted, strict=True):
        begin, _, end = want.partition("...")
        assert line.startswith(begin) and line.endswith(end), (line, want)


@pytest.mark.basic
def test_a_file_that_is_saved_is_reloaded(run):
    assert run.get("/").text == "one" and is_watching(run)
    before = [row["pid"] for row in run.workers()]
    code(run, "lib/word.lua").write_text('return "two"\n')
    wait_out(run, "reloaded in ... ms: lib/word.lua")
    assert run.get("/").text == "two"
    assert [row["pid"] for row in run.workers()] == before, "it is done in place"


@pytest.mark.basic
def test_an_editor_may_save_by_renaming(run):
    code(run, "lib/.word.lua.tmp").write_text('return "two"\n')
    os.replace(code(run, "lib/.word.lua.tmp"), code(run, "lib/word.lua"))
    wait_out(run, "reloaded in ... ms: lib/word.lua")
    assert run.get("/").text == "two"


def test_an_error_is_shown_with_its_line_and_the_old_code_goes_on(run):
    code(run, "app.lua").write_text(APP.replace("local word", "local number = nil + 1\nlocal word"))
    wait_out(run, "not reloaded: app.lua:3: attempt to perform arithmetic on a nil value",
             "       2 | local app = fsd.app()",
             " >     3 | local number = nil + 1",
             '       4 | local word = require "lib.word"')
    assert run.get("/").text == "one"


def test_a_syntax_error_is_shown_too_and_mended(run):
    code(run, "lib/word.lua").write_text('local word = "two"\nreturn word word\n')
    wait_out(run, "not reloaded: lib/word.lua:2: <eof> expected near 'word'",
             '       1 | local word = "two"', " >     2 | return word word")
    code(run, "lib/word.lua").write_text('return "three"\n')
    wait_for(lambda: "ms: lib/word.lua" in run.out(), "the reload")
    assert run.get("/").text == "three"


def test_a_file_that_is_gone_is_missed_where_it_is_wanted(run):
    code(run, "lib/word.lua").unlink()
    wait_out(run, "not reloaded: app.lua:3: module 'lib.word' not found", "       2 | local app = fsd.app()",
             ' >     3 | local word = require "lib.word"', '       4 | app:get("/", ...')
    assert run.get("/").text == "one"
    code(run, "lib/word.lua").write_text('return "two"\n')
    wait_for(lambda: run.get("/").text == "two", "the file to be back")


def test_without_the_main_file_the_old_code_goes_on(run):
    code(run, "app.lua").rename(code(run, "app.lua~"))
    wait_out(run, f'not reloaded: cannot read "{code(run, "app.lua")}": No such file or directory')
    assert run.get("/").text == "one"


@pytest.mark.parametrize("text, sentence", [("return return\n", "unexpected symbol near 'return'"), ("error('boom')\n", "boom")])
def test_first_code_that_does_not_load_is_shown(make_service, text, sentence):
    service = make_service({"app.lua": "\n" + text})
    service.watches = True
    service.start()
    assert service.wait_exit() == 65
    assert service.out().splitlines() == [f"not loaded: app.lua:2: {sentence}", "       1 |", " >     2 | " + text.strip()]


def test_an_error_that_names_another_file_shows_nothing_of_it(run, tmp_path):
    secret = tmp_path / "secret.lua"
    secret.write_text("SECRET\n")
    code(run, "app.lua").write_text(f'error("{secret}:1: look", 0)\n')
    wait_out(run, f"not reloaded: {secret}:1: look...")
    assert "SECRET" not in run.out()


def test_a_reload_that_an_operator_asks_for_is_told_as_well(run):
    assert run.ctl("reload").returncode == 0
    wait_out(run, "reloaded")


def test_code_that_is_taken_back_is_told_and_what_is_saved_next_is_loaded(run):
    assert run.ctl("confirm").returncode == 0
    code(run, "lib/word.lua").write_text('return "two"\n')
    wait_out(run, "reloaded in ... ms: lib/word.lua")
    assert run.ctl("rollback").returncode == 0
    wait_out(run, "reloaded in ... ms: lib/word.lua", "rolled back")
    assert run.get("/").text == "one"
    code(run, "lib/word.lua").write_text('return "three"\n')
    wait_out(run, "reloaded in ...", "rolled back", "reloaded in ... ms: lib/word.lua")
    assert run.get("/").text == "three"


def test_code_that_does_not_stay_up_is_taken_back_and_the_reason_is_told(run):
    assert run.ctl("confirm").returncode == 0
    code(run, "app.lua").write_text(APP.replace("return app", "app:every(0.001, function() os.exit(4) end)\nreturn app"))
    wait_for(lambda: "rolled back: pool app: " in run.out(), "the master to take it back", 60)
    wait_for(lambda: run.get("/").text == "one", "the pool to be up again", 60)
    code(run, "app.lua").write_text(APP)
    wait_for(lambda: run.out().count(" ms: app.lua") == 2, "the reload")


def test_what_is_saved_while_a_reload_runs_is_reloaded_after_it(run):
    for number in range(20):
        code(run, "lib/word.lua").write_text(f'return "{number}"\n')
        run.ctl("reload")
    wait_for(lambda: run.get("/").text == "19", "the last one")
    assert "refused" not in run.log() and "not reloaded" not in run.out()


# While its code loads, and only the first time, it saves a file twice: what is loaded was read before.
SAVES_ITSELF = """local once = io.open("{folder}/once")
if once then
  once:close()
  os.remove("{folder}/once")
  for _, word in ipairs {{ "two", "three" }} do
    local file <close> = io.open("{folder}/lib/word.lua", "w")
    file:write('return "' .. word .. '"')
  end
end
"""


def test_what_is_saved_while_the_first_code_loads_is_reloaded(make_service):
    service = make_service({"app.lua": "", "lib/word.lua": 'return "one"\n', "once": ""})
    service.watches = True
    service.app_path.write_text(SAVES_ITSELF.format(folder=service.app_path.parent) + APP)
    service.start_ready()
    wait_out(service, "reloaded in ... ms: lib/word.lua")
    assert service.get("/").text == "three"


def test_what_is_saved_while_a_reload_loads_is_one_more_reload(run):
    code(run, "once").write_text("")
    code(run, "app.lua").write_text(SAVES_ITSELF.format(folder=run.app_path.parent) + APP)
    wait_for(lambda: run.get("/").text == "three", "what was saved last")
    wait_for(lambda: "ms: lib/word.lua" in run.out(), "the line")
    assert run.ctl("reload").returncode == 0
    reloads = [line for line in run.out().splitlines() if line.startswith("reloaded")]
    assert len(reloads) <= 3, "the one that was saved into, one more, and ours"


def test_code_that_loads_without_an_end_gives_way_to_what_is_saved_next(run):
    code(run, "lib/word.lua").write_text("while true do end\n")
    wait_for(lambda: "still loading: lib/word.lua\n" in run.out(), "the line")
    assert run.get("/").text == "one"
    code(run, "lib/word.lua").write_text('return "two"\n')
    wait_out(run, "reloaded in ... ms: lib/word.lua")
    assert run.get("/").text == "two"


def test_a_new_fsd_goes_on_to_watch(run):
    run.call("upgrade")
    code(run, "lib/word.lua").write_text('return "two"\n')
    wait_out(run, "reloaded in ... ms: lib/word.lua")
    assert run.get("/").text == "two" and page_code(run).endswith("-2")


# Stands in for the next program, saves a file at one moment, and then becomes the real one.
SAVES = """#!/usr/bin/python3
import os, pathlib, sys
if sys.argv[1] == {option!r}:
    pathlib.Path({path!r}).write_text('return "two"\\n')
os.execv({program!r}, [{program!r}, *sys.argv[1:]])
"""


@pytest.mark.parametrize("option", ["--upgrade-probe", "--upgrade-state"])
def test_what_is_saved_while_a_new_fsd_takes_over_is_reloaded(make_service, option):
    """While it is tried, the old program watches; when it begins in earnest, nobody does."""
    service = make_service({"app.lua": APP, "lib/word.lua": 'return "one"\n'})
    service.watches = True
    service.program = service.folder / "fsd"
    service.program.symlink_to(BUILD / "fsd")
    service.start_ready()
    service.program.unlink()
    service.program.write_text(SAVES.format(option=option, path=str(code(service, "lib/word.lua")), program=str(BUILD / "fsd")))
    service.program.chmod(0o755)
    service.call("upgrade")
    wait_out(service, "reloaded in ...")
    assert service.get("/").text == "two"


def test_an_upgrade_alone_reloads_nothing(run):
    run.call("upgrade")
    code(run, "lib/word.lua").write_text('return "two"\n')
    wait_out(run, "reloaded in ... ms: lib/word.lua")


def read_until(fd, wanted):
    data = b""
    while wanted not in data:
        assert select.select([fd], [], [], 60)[0], data
        data += os.read(fd, 65536)
    return data.decode()


def test_on_one_terminal_each_reload_is_one_line(make_service):
    service = make_service({"app.lua": APP, "lib/word.lua": 'return "one"\n'})
    ours, theirs = os.openpty()
    command = [str(BUILD / "fsd"), "run", str(service.app_path), "--port", "0", "--worker", service.worker_path,
               "--control", service.control_path]
    service.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    read_until(ours, b"event=daemon.ready")
    code(service, "lib/word.lua").write_text('return "two"\n')
    said = read_until(ours, b": lib/word.lua\r\n")
    assert "reload begins" not in said and "code is bundled" not in said
    code(service, "lib/word.lua").write_text("error('boom')\n")
    assert "event=reload.failed" in read_until(ours, b"not reloaded: lib/word.lua:1: boom\r\n")
    code(service, "lib/word.lua").write_text("return return\n")
    assert "event=reload.failed" not in read_until(ours, b"not reloaded: lib/word.lua:1: unexpected symbol")
    assert "reload begins" in service.ctl("logs", "-n", "100").stdout
    service.stop()
    os.close(ours)


def test_with_no_watch_nothing_is_reloaded(make_service):
    service = make_service({"app.lua": APP, "lib/word.lua": 'return "one"\n'}).start_ready()
    assert not is_watching(service)
    assert service.ctl("reload").returncode == 0
    assert len(service.out().splitlines()) == 2


def test_serve_watches_nothing(service):
    assert not is_watching(service)
    command = [str(BUILD / "fsd"), "serve", "--no-watch"]
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 64


def test_a_tree_that_is_too_large_is_said_and_served(make_service):
    service = make_service({"app.lua": APP, "lib/word.lua": 'return "one"\n'})
    service.watches = True
    folder = code(service, "data")
    for number in range(4100):
        (folder / str(number)).mkdir(parents=True)
    service.start_ready()
    assert service.out().startswith(f'cannot watch "{service.app_path.parent}": more than 50000 files or 4096 folders below it; ')
    assert service.get("/").text == "one"


@pytest.mark.basic
def test_a_page_that_is_open_learns_of_new_code(run):
    old = page_code(run)
    with run.connection() as connection:
        stream = open_stream(connection)
        assert read_event(stream) == old
        code(run, "lib/word.lua").write_text('return "two"\n')
        new = read_event(stream)
    assert new != old and page_code(run) == new
    assert "<p>two</p>" in run.get("/page", headers=BROWSER).text


def test_a_page_learns_of_code_in_other_workers(run):
    with run.connection() as connection:
        stream = open_stream(connection)
        old = read_event(stream)
        code(run, "lib/word.lua").write_text('return "two"\n')
        wait_out(run, "reloaded in ... ms: lib/word.lua")
        read_event(stream)
        assert run.ctl("reload", "--restart").returncode == 0
        assert stream.read().strip() == b"retry: 1000", "the old worker ends it, and the browser asks again"
    with run.connection() as connection:
        new = read_event(open_stream(connection))
    assert new != old and page_code(run) == new


def test_with_many_workers_a_page_comes_to_rest_on_the_new_code(make_service):
    service = make_service({"app.lua": APP, "lib/word.lua": 'return "one"\n'}, workers=3)
    service.watches = True
    service.start_ready()
    old = page_code(service)
    code(service, "lib/word.lua").write_text('return "two"\n')
    wait_out(service, "reloaded in ... ms: lib/word.lua")
    new = page_code(service)
    assert new != old and "<p>two</p>" in service.get("/page", headers=BROWSER).text
    for _ in range(10):  # whoever is asked says the same: no page is loaded over and over
        with service.connection() as connection:
            assert read_event(open_stream(connection)) == new == page_code(service)


def test_the_script_is_there(run):
    answer = run.get("/.fsd/refresh.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "new EventSource('/.fsd/refresh')" in answer.text


@pytest.mark.parametrize("broken", ["return return\n", "error('boom')\n"])
def test_a_failed_reload_refreshes_nothing(run, broken):
    with run.connection() as connection:
        stream = open_stream(connection)
        old = read_event(stream)
        code(run, "lib/word.lua").write_text(broken)
        wait_for(lambda: "not reloaded" in run.out(), "the failure")
        assert page_code(run) == old
        code(run, "lib/word.lua").write_text('return "three"\n')
        assert read_event(stream) not in (None, old), "what is told next is the code that loads"
    assert "three" in run.get("/page", headers=BROWSER).text


def test_an_error_page_is_refreshed_when_the_error_is_mended(run):
    answer = run.get("/nowhere", headers=BROWSER)
    assert answer.status == 404 and SCRIPT.search(answer.text)


def test_an_error_of_the_application_is_shown_in_the_browser_and_mended(run):
    code(run, "app.lua").write_text(APP.replace('res:type("html"):send("<p>" ..', 'error("no <word>") res:send("<p>" ..'))
    wait_out(run, "reloaded in ... ms: app.lua")
    answer = run.get("/page", headers=BROWSER)
    assert answer.status == 500 and SCRIPT.search(answer.text)
    assert "<pre>app.lua:5: no &lt;word&gt;\n\nstack traceback:" in answer.text
    assert run.get("/page").json() == {"error": "Internal Server Error"}
    code(run, "app.lua").write_text(APP)
    wait_out(run, "reloaded in ... ms: app.lua", "reloaded in ... ms: app.lua")
    assert "<p>one</p>" in run.get("/page", headers=BROWSER).text


def test_only_pages_that_a_browser_shows_get_the_script(run):
    whole = run.get("/page", headers=BROWSER)
    assert SCRIPT.sub("", whole.text) == "<p>one</p>" != whole.text
    for headers in ({}, {"accept": "*/*"}, {**BROWSER, "sec-fetch-dest": "empty"}):
        assert run.get("/page", headers=headers).text == "<p>one</p>"
    assert run.request("POST", "/page", headers=BROWSER).text == "<p>one</p>"
    assert run.get("/data", headers=BROWSER).text == '{"word":"one"}'
    head = run.request("HEAD", "/page", headers=BROWSER)
    assert head.headers["content-length"] == str(len(whole.body)) and head.body == b""


def test_streams_of_pages_do_not_keep_a_worker(run):
    with run.connection() as one, run.connection() as two:
        streams = [open_stream(one), open_stream(two)]
        assert len({read_event(stream) for stream in streams}) == 1
        assert run.ctl("drain").returncode == 0
        run.wait_workers(lambda rows: not rows, "the worker to leave")
        assert [stream.read().strip() for stream in streams] == [b"retry: 1000"] * 2


def test_pages_of_a_service_are_left_alone(make_service):
    for watches in (False, True):
        one = make_service({"app.lua": APP, "lib/word.lua": 'return "one"\n'})
        one.watches = watches
        if watches:
            one.write_conf()  # fsd serve
        one.start_ready()
        assert one.get("/page", headers=BROWSER).text == "<p>one</p>"
        assert "app.lua" not in one.get("/broken", headers=BROWSER).text
        assert one.get("/.fsd/refresh").status == 404 and one.get("/.fsd/refresh.js").status == 404
