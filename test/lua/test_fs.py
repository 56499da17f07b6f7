"""fsd.fs: files and folders."""
import os
import pathlib
import stat

import pytest

from fsd_process import wait_for
from handler_rows import app_of, names

HEAD = '''
local fs, task = fsd.fs, fsd.task
local DIR = "FOLDER"
local function failure(...) local ok, err = fsd.try(...) if ok == nil then return err end end
local function mistake(...) local ok, err = pcall(...) assert(not ok) return tostring(err) end
local function code(...) local err = failure(...) return err and err.name == "FsError" and err.code end
local count = 0
local function fresh() count = count + 1 local path = DIR .. "/" .. count fs.mkdir(path) return path end
'''

# name, body: it must return true
ROWS = [
    ("what-is-written-is-read", '''
        local d = fresh()
        local big = ("0123456789abcdef"):rep(200000)
        fs.write(d .. "/a", "one") fs.write(d .. "/a", "two\\0") fs.write(d .. "/b", big, { sync = false }) fs.write(d .. "/c", "", { atomic = false })
        fs.write(d .. "/d", "long text", { atomic = false, sync = true }) fs.write(d .. "/d", "short", { atomic = false })
        return fs.read(d .. "/a") == "two\\0" and fs.read(d .. "/b") == big and fs.read(d .. "/c") == "" and fs.read(d .. "/d") == "short"
          and table.concat(fs.list(d), " ") == "a b c d" and fs.read("/proc/self/stat"):find("fsd%-worker") and true'''),
    ("what-is-too-large-is-not-read", '''
        local d = fresh()
        fs.write(d .. "/a", "12345")
        return code(fs.read, d .. "/a", 4) == "fs.too_large" and fs.read(d .. "/a", 5) == "12345" and code(fs.read, "/proc/self/stat", 3) == "fs.too_large"
          and code(fs.read, "/dev/zero") == "fs.too_large" and mistake(fs.read, d .. "/a", -1):find("between 0 and 64 MiB", 1, true) and true'''),
    ("a-file-keeps-its-permissions-when-it-is-written-anew", '''
        local d = fresh()
        fs.write(d .. "/a", "x", { mode = 384 })
        local first = fs.stat(d .. "/a").mode
        fs.write(d .. "/a", "y")
        fs.write(d .. "/b", "x")
        return first == 384 and fs.stat(d .. "/a").mode == 384 and fs.stat(d .. "/b").mode & 438 == 438 & ~18'''),
    ("nothing-is-left-of-a-write-that-failed", '''
        local d = fresh()
        fs.mkdir(d .. "/folder")
        return code(fs.write, d .. "/folder", "x") == "fs.is_directory" and code(fs.write, d .. "/no/file", "x") == "fs.not_found" and #fs.list(d) == 1'''),
    ("nothing-is-left-of-a-write-that-was-cancelled", '''
        local d = fresh()
        local data = ("x"):rep(20 * 1024 * 1024)
        for i = 1, 5 do
          local writer = task.spawn(function() while true do fs.write(d .. "/a", data) end end)
          for _ = 1, i * 3 do task.yield() end
          writer:cancel() fsd.try(writer.join, writer)
        end
        local names = fs.list(d)
        return #names == 0 or (#names == 1 and names[1] == "a" and #fs.read(d .. "/a") == #data)'''),
    ("append-writes-behind", '''
        local d = fresh()
        fs.append(d .. "/a", "one ") fs.append(d .. "/a", "two", { sync = true })
        return fs.read(d .. "/a") == "one two"'''),
    ("chunks-give-a-file-in-pieces-and-close-it", '''
        local d, n, sizes = fresh(), 0, {}
        fs.write(d .. "/a", ("x"):rep(600000))
        for piece in fs.chunks(d .. "/a") do n = n + #piece sizes[#sizes + 1] = #piece end
        for piece in fs.chunks(d .. "/a", 10) do if #piece ~= 10 then return #piece end break end
        return n == 600000 and #sizes == 3'''),
    ("stat-says-what-it-is-and-nil-when-there-is-nothing", '''
        local d = fresh()
        fs.write(d .. "/a", "12345")
        fsd.process.run{ "ln", "-s", "a", d .. "/link", check = true }
        fsd.process.run{ "mkfifo", d .. "/fifo", check = true }
        local s = fs.stat(d .. "/a")
        local _, types = fs.list(d)
        return s.type == "file" and s.size == 5 and math.abs(s.modified - fsd.time()) < 60 and s.links == 1 and s.inode > 0 and s.uid and s.gid and s.changed
          and fs.stat(d .. "/link").type == "file" and fs.stat(d .. "/link", { follow = false }).type == "link" and fs.stat(d).type == "directory"
          and fs.stat("/dev/null").type == "device" and fs.stat(d .. "/none") == nil and fs.stat(d .. "/a/b") == nil and fs.exists(d) and not fs.exists(d .. "/none")
          and types.a == "file" and types.link == "link" and types.fifo == "fifo" and fs.real_path(d .. "/./link") == fs.real_path(d .. "/a") and fs.real_path(d .. "/none") == nil'''),
    ("folders-are-made-with-their-parents", '''
        local d = fresh()
        local again = code(fs.mkdir, d)
        fs.write(d .. "/file", "")
        return again == "fs.exists" and code(fs.mkdir, d .. "/a/b") == "fs.not_found" and fs.mkdir(d .. "/a/b/c/", { parents = true }) and fs.mkdir(d .. "/a/b/c", { parents = true }) == false
          and fs.stat(d .. "/a/b/c").type == "directory" and code(fs.mkdir, d .. "/file", { parents = true }) == "fs.exists" and code(fs.mkdir, d .. "/file/x", { parents = true }) == "fs.not_directory"
          and fs.mkdir(d .. "/m", { mode = 448 }) and fs.stat(d .. "/m").mode == 448'''),
    ("trees-are-removed-and-links-in-them-not-followed", '''
        local d, outside = fresh(), fresh()
        fs.write(outside .. "/kept", "x")
        fs.mkdir(d .. "/t/a/b", { parents = true }) fs.write(d .. "/t/a/file", "x") fs.write(d .. "/t/a/b/file", "x")
        fsd.process.run{ "ln", "-s", outside, d .. "/t/link", check = true }
        fsd.process.run{ "ln", "-s", outside, d .. "/link", check = true }
        return code(fs.remove, d .. "/t") == "fs.not_empty" and fs.remove(d .. "/t", { recursive = true }) and not fs.exists(d .. "/t") and fs.read(outside .. "/kept") == "x"
          and fs.remove(d .. "/link", { recursive = true }) and fs.read(outside .. "/kept") == "x" and fs.remove(d .. "/none") == false and #fs.list(d) == 0
          and fs.remove(outside .. "/kept") and fs.remove(outside) and not fs.exists(outside)'''),
    ("files-are-renamed-and-copied", '''
        local d = fresh()
        local data = ("x"):rep(3000000)
        fs.write(d .. "/a", data, { mode = 416 })
        fs.copy(d .. "/a", d .. "/b") fs.copy(d .. "/a", d .. "/c", { mode = 384, sync = true }) fs.rename(d .. "/a", d .. "/d")
        fs.copy("/proc/self/stat", d .. "/e")
        return fs.read(d .. "/b") == data and fs.stat(d .. "/b").mode == 416 and fs.stat(d .. "/c").mode == 384 and fs.read(d .. "/d") == data and not fs.exists(d .. "/a")
          and #fs.read(d .. "/e") > 50 and code(fs.copy, d .. "/none", d .. "/x") == "fs.not_found" and code(fs.copy, d, d .. "/x") == "fs.is_directory"
          and code(fs.rename, d .. "/none", d .. "/x") == "fs.not_found" and #fs.list(d) == 4'''),
    ("files-are-opened", '''
        local d = fresh()
        local file <close> = fs.open(d .. "/a", "x")
        local exists = code(fs.open, d .. "/a", "x")
        file:write("hello "):write("world"):sync()
        file:close()
        local both <close> = fs.open(d .. "/a", "r+")
        local place = both:seek("set", 6)
        local word = both:read(5)
        local rest = both:read()
        both:seek("set") both:write("H")
        return exists == "fs.exists" and place == 6 and word == "world" and rest == nil and both:seek("end", -1) == 10 and fs.read(d .. "/a") == "Hello world"
          and mistake(file.read, file):find("the file is closed", 1, true) and mistake(both.read, both, 262145):find("262144", 1, true) and code(fs.open, d, "r") == "fs.is_directory"
          and mistake(fs.open, d, "dir"):find('must be "r"', 1, true) and mistake(fs.open, d, "rw"):find('must be "r"', 1, true) and true'''),
    ("a-temporary-file-is-its-own", '''
        local d = fresh()
        local path, file = fs.temp_file{ folder = d, prefix = "up-" }
        file:write("x") file:close()
        local other, second <close> = fs.temp_file()
        fs.remove(other)
        return path:find(d .. "/up-", 1, true) == 1 and fs.stat(path).mode == 384 and fs.read(path) == "x"'''),
    ("a-fifo-is-not-waited-for", '''
        local d = fresh()
        fsd.process.run{ "mkfifo", d .. "/fifo", check = true }
        return fs.read(d .. "/fifo") == "" and failure(fs.write, d .. "/fifo", "x", { atomic = false }).name == "FsError"'''),
    ("what-the-system-refuses-says-why", '''
        local err = failure(fs.read, "/no/such")
        return err.message == 'cannot open "/no/such": No such file or directory' and err.code == "fs.not_found" and err.status == 500
          and code(fs.list, "/etc/passwd") == "fs.not_directory" and code(fs.list, "/no") == "fs.not_found" and code(fs.read, "/") == "fs.is_directory"'''),
    ("mistakes-are-said", '''
        return mistake(fs.read, ""):find("a path must not be empty", 1, true) and mistake(fs.read, "a\\0b"):find("a zero byte", 1, true) and mistake(fs.read, 5):find("string expected", 1, true)
          and mistake(fs.write, "/x", 5):find("data must be a string", 1, true) and mistake(fs.write, "/x", "", { atom = true }):find('unknown option "atom"', 1, true)
          and mistake(fs.write, "/x", "", { mode = "600" }):find('"mode" must be a number', 1, true) and mistake(fs.watch, DIR, 5):find("a function is needed", 1, true) and true'''),
    ("changes-in-a-folder-are-told", '''
        local d = fresh()
        local seen = {}
        local watcher <close> = fs.watch(d)
        local reader = task.spawn(function() for event in watcher.next, watcher do seen[#seen + 1] = event.kind .. " " .. tostring(event.name) end return "closed" end)
        task.yield()
        fs.write(d .. "/a", "x", { atomic = false, sync = false }) fs.mkdir(d .. "/b") fs.rename(d .. "/a", d .. "/c") fs.remove(d .. "/c")
        fs.write(d .. "/last", "", { atomic = false })
        while seen[#seen] ~= "written last" do task.yield() end
        watcher:close()
        return reader:join() == "closed" and table.concat(seen, ",") == "created a,modified a,written a,created b,removed a,created c,removed c,created last,written last"'''),
    ("a-function-is-called-for-each-change", '''
        local d = fresh()
        fs.write(d .. "/f", "x")
        local kinds = task.channel(10)
        local watcher = fs.watch(d .. "/f", function(event) kinds:put(event.kind) end)
        fs.append(d .. "/f", "y")
        local first, second = kinds:get(), kinds:get()
        fs.remove(d .. "/f")
        local last repeat last = kinds:get() until last == "gone"
        watcher:close()
        return first == "modified" and second == "written" and code(fs.watch, d .. "/none") == "fs.not_found"'''),
    ("a-watcher-has-one-task-and-lets-a-cancelled-one-go", '''
        local d = fresh()
        local watcher <close> = fs.watch(d)
        local waiting = task.spawn(watcher.next, watcher)
        task.yield()
        local second = mistake(watcher.next, watcher)
        waiting:cancel()
        local err = failure(waiting.join, waiting)
        fs.write(d .. "/a", "", { atomic = false })
        return second:find("another task waits", 1, true) and err.code == "cancelled" and watcher:next().name == "a"'''),
]


@pytest.fixture(scope="module")
def app(serve, tmp_path_factory):
    return serve(app_of(ROWS, HEAD.replace("FOLDER", str(tmp_path_factory.mktemp("fs")))))


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_row(app, row):
    answer = app.get("/" + row[0])
    assert (answer.status, answer.text) == (200, "true")


def test_the_worker_keeps_no_descriptor(app):
    pid = app.workers()[0]["pid"]

    def files():
        return [os.readlink(path) for path in pathlib.Path(f"/proc/{pid}/fd").iterdir()]

    for row in ROWS:
        app.get("/" + row[0])
    wait_for(lambda: app.get("/mistakes-are-said").status == 200 and not [name for name in files() if "/fs0/" in name or name.endswith("/fs0")],
             "the files to be closed")


def test_a_file_that_is_written_while_the_code_loads_needs_no_task(serve, tmp_path):
    app = serve('''
local fsd = require "fsd"
fsd.fs.write("PATH", "loaded", { sync = false })
local text = fsd.fs.read("PATH")
local app = fsd.app()
app:get("/", function() return text end)
return app
'''.replace("PATH", str(tmp_path / "file")))
    assert app.get("/").text == "loaded"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) & 0o600 == 0o600
