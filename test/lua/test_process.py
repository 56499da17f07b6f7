"""fsd.process: other programs, run beside the worker."""
import os
import pathlib
import signal

import pytest

from fsd_process import is_alive, wait_for
from handler_rows import app_of, names

HEAD = '''
local process, task = fsd.process, fsd.task
local function failure(...) local ok, err = fsd.try(...) if ok == nil then return err end end
local function mistake(...) local ok, err = pcall(...) assert(not ok) return tostring(err) end
local function why(options) local err = failure(process.run, options) return err and err.name == "ProcessError" and err.code .. ": " .. err.message end
'''

# name, body: it must return true
ROWS = [
    ("a-program-runs-and-says-how-it-ended", '''
        local r = process.run{ "sh", "-c", "echo out; echo err >&2; exit 3" }
        local good = process.run{ "true" }
        return not r.ok and r.status == 3 and r.signal == nil and r.stdout == "out\\n" and r.stderr == "err\\n" and good.ok and good.status == 0 and good.stdout == ""'''),
    ("arguments-are-not-words-of-a-shell", '''
        return process.run{ "printf", "%s|", "a b", "$HOME", "*", 5, "" }.stdout == "a b|$HOME|*|5||" '''),
    ("a-signal-is-named", '''
        local r = process.run{ "sh", "-c", "kill -TERM $$" }
        return r.signal == "TERM" and r.status == nil and not r.ok'''),
    ("it-reads-what-it-is-given", '''
        local long = ("0123456789abcdef"):rep(200000)
        return process.run{ "cat", stdin = "hello" }.stdout == "hello" and process.run{ "cat" }.stdout == "" and process.run{ "cat", stdin = "" }.stdout == ""
          and process.run{ "wc", "-c", stdin = long }.stdout == "3200000\\n" and process.run{ "cat", stdin = long, max_output = 4000000 }.stdout == long
          and process.run{ "true", stdin = long }.ok'''),
    ("it-has-the-environment-and-the-folder-that-are-asked-for", '''
        local r = process.run{ "env", env = { A = "1", B = 2, PATH = "/usr/bin:/bin" } }.stdout
        local bare = process.run{ "/usr/bin/env", inherit_env = false, env = { A = "x", PATH = false } }.stdout
        return r:find("A=1\\n", 1, true) and r:find("B=2\\n", 1, true) and not r:find("FSD_", 1, true) and bare == "A=x\\n" and process.run{ "pwd", cwd = "/usr" }.stdout == "/usr\\n"'''),
    ("stderr-can-go-where-stdout-goes", '''
        return process.run{ "sh", "-c", "echo a; echo b >&2; echo c", stderr = "stdout" }.stdout == "a\\nb\\nc\\n"'''),
    ("what-cannot-be-run-says-why", '''
        return why{ "no-such-program" } == 'process.start: cannot run "no-such-program": it is in no folder of PATH'
          and why{ "/no/such" } == 'process.start: cannot run "/no/such": No such file or directory'
          and why{ "/etc/passwd" }:find("Permission denied", 1, true) and why{ "true", cwd = "/no/such" } == 'process.start: cannot run "true" in "/no/such": No such file or directory' '''),
    ("a-program-that-takes-too-long-is-ended", '''
        local err = failure(process.run, { "sh", "-c", "echo begun; exec sleep 600", timeout = 0.2 })
        local stubborn = failure(process.run, { "sh", "-c", "trap '' TERM; echo x; while :; do sleep 0.05; done", timeout = 0.2, kill_after = 0.1 })
        return err.message == 'the program "sh" took too long, and was ended' and err.code == "process.timeout" and err.stdout == "begun\\n" and err.signal == "TERM" and stubborn.code == "process.timeout" and stubborn.signal == "KILL"'''),
    ("a-program-that-writes-too-much-is-ended", '''
        local err = failure(process.run, { "yes", max_output = 100000 })
        local errors = failure(process.run, { "sh", "-c", "yes >&2", max_output = 100000 })
        return err.code == "process.output" and #err.stdout == 100000 and errors.code == "process.output" and #errors.stderr == 100000
          and failure(process.run, { "echo", "ab", max_output = 2 }).code == "process.output" and process.run{ "echo", "a", max_output = 2 }.ok'''),
    ("check-raises-what-has-failed", '''
        local err = failure(process.run, { "sh", "-c", "echo no >&2; exit 4", check = true })
        local killed = failure(process.run, { "sh", "-c", "kill -9 $$", check = true })
        return err.message == 'the program "sh" has failed with status 4' and killed.message == 'the program "sh" was ended by the signal KILL'
          and err.code == "process.failed" and err.exit_status == 4 and err.stderr == "no\\n" and process.run{ "true", check = true }.ok'''),
    ("a-shell-runs-commands", '''
        return process.shell("echo $((1 + 2)) | tr 3 x").stdout == "x\\n" and process.shell("cat; exit 2", { stdin = "in" }).stdout == "in"
          and process.shell("exit 2").status == 2'''),
    ("what-stays-in-the-background-is-not-waited-for", '''
        return process.shell("sleep 60 & echo done").stdout == "done\\n"'''),
    ("no-descriptor-and-no-signal-mask-leaks", '''
        local fds = process.run{ "ls", "/proc/self/fd" }.stdout
        local status = process.run{ "cat", "/proc/self/status" }.stdout
        local function signals(name) return tonumber(status:match("Sig" .. name .. ":%s+(%x+)"), 16) end
        return fds == "0\\n1\\n2\\n3\\n" and signals("Blk") == 0 and signals("Ign") == 0 and signals("Cgt") == 0'''),
    ("many-run-at-a-time", '''
        local results = task.map({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 10, function(i) return process.run{ "echo", i }.stdout end)
        return table.concat(results) == "1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n10\\n"'''),
    ("too-many-are-refused", '''
        local tasks, code = {}, nil
        for i = 1, 100 do tasks[i] = task.spawn(process.run, { "sleep", "600" }) end
        task.yield()
        code = failure(process.run, { "true" }).code
        for i = 1, 100 do tasks[i]:cancel() end
        for i = 1, 100 do fsd.try(tasks[i].join, tasks[i]) end
        return code == "process.overload"'''),
    ("mistakes-are-said", '''
        return mistake(process.run, {}):find("a program is needed", 1, true) and mistake(process.run, { "true", timout = 1 }):find('did you mean "timeout"?', 1, true)
          and mistake(process.run, { "true", "a\\0b" }):find("a zero byte", 1, true) and mistake(process.run, { "true", {} }):find("an argument must be a string, got table", 1, true)
          and mistake(process.run, { "true", env = { ["A=B"] = "x" } }):find("the name of a variable", 1, true) and mistake(process.run, { "true", env = { A = {} } }):find("must be a string", 1, true)
          and mistake(process.run, { "true", stdin = 5 }):find('"stdin" must be a string', 1, true) and mistake(process.run, { "true", timeout = -1 }):find("not negative", 1, true)
          and mistake(process.run, { "true", stderr = "x" }):find("invalid option", 1, true) and mistake(process.run, { "true", env = "A=1" }):find('"env" must be a table', 1, true) and true'''),
]


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(ROWS, HEAD))


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_row(app, row):
    answer = app.get("/" + row[0])
    assert (answer.status, answer.text) == (200, "true")


def test_the_worker_keeps_no_process_and_no_descriptor(app):
    pid = app.workers()[0]["pid"]

    def fds():
        return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))

    app.get("/a-program-runs-and-says-how-it-ended")
    before = fds()
    for row in ("a-program-that-takes-too-long-is-ended", "what-cannot-be-run-says-why", "too-many-are-refused", "it-reads-what-it-is-given"):
        app.get("/" + row)
    wait_for(lambda: fds() <= before, "the descriptors to be closed")
    wait_for(lambda: pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text() == "", "the children to be gone")


LONG = '''
local fsd = require "fsd"
local app = fsd.app()
app:get("/run", function() return fsd.process.run{ "sh", "-c", "echo $$ > PIDS; sleep 600 & echo $! >> PIDS; wait" } end)
app:get("/hello", function() return "hello" end)
return app
'''


def test_a_client_that_hangs_up_ends_the_program_and_all_of_its_group(serve, tmp_path):
    pids = tmp_path / "pids"
    app = serve(LONG.replace("PIDS", str(pids)))
    with app.connection() as connection:
        connection.request("GET", "/run")
        wait_for(lambda: pids.exists() and pids.read_text().count("\n") == 2, "the program to run")
        assert app.get("/hello").text == "hello"
    for pid in pids.read_text().split():
        wait_for(lambda pid=pid: not is_alive(int(pid)), "the program to end")


def test_a_program_does_not_outlive_its_worker(serve, tmp_path):
    pids = tmp_path / "pids"
    app = serve(LONG.replace("sleep 600 & echo $! >> PIDS; wait", "echo >> PIDS; exec sleep 600").replace("PIDS", str(pids)))
    with app.connection() as connection:
        connection.request("GET", "/run")
        wait_for(lambda: pids.exists() and pids.read_text().count("\n") == 2, "the program to run")
        os.kill(app.workers()[0]["pid"], signal.SIGKILL)
        wait_for(lambda: not is_alive(int(pids.read_text())), "the program to end")
