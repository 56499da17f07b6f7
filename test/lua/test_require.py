"""Loading: require, the folders it looks into, what a main file must return, and how a failure is told."""
import concurrent.futures
import subprocess

import pytest

from app_process import AppProcess
from fsd_process import BUILD

DATA_ERROR, NO_INPUT = 65, 66

MODULES = {
    "app.lua": '''
local fsd = require "fsd"
local json = require "fsd.json"
local app = fsd.app()
local plain, nested, folder, from_lib = require "plain", require "deep.er.module", require "folder", require "shared"
local silent = require "silent"
counter = 0 -- a global of this application
local again = require "plain"
app:get("/names", function() return { plain.name, nested.name, folder.name, from_lib.name } end)
app:get("/arguments", function() return { plain.arguments, folder.arguments, from_lib.arguments } end)
app:get("/same", function() return { again == plain, silent == true, require "plain" == plain } end)
app:get("/late", function() return { require("late").name } end)
app:get("/globals", function() return { require("globals")(), counter, _G.counter } end)
app:get("/own", function() local before = fsd.json; return { require "json" == before, type(require "json") } end)
app:get("/load", function() return { load("counter = (counter or 0) + 100; return counter")() == counter } end)
app:get("/standard", function()
  local here = json.array{}
  for _, name in ipairs{ "assert", "coroutine", "debug", "error", "io", "ipairs", "load", "math", "next", "os", "pairs", "pcall", "print",
    "rawget", "require", "select", "setmetatable", "string", "table", "tostring", "type", "utf8", "xpcall" } do
    if _ENV[name] == nil then here[#here + 1] = name end
  end
  return here
end)
return app
''',
    "plain.lua": 'return { name = "plain", arguments = { ... } }',
    "deep/er/module.lua": 'return { name = "nested" }',
    "folder/init.lua": 'return { name = "folder", arguments = { ... } }',
    "lib/shared.lua": 'return { name = "lib", arguments = { ... } }',
    "lib/plain.lua": 'return { name = "hidden by the one beside app.lua" }',
    "silent.lua": "local x = 1",
    "late.lua": 'return { name = "late" }',
    "globals.lua": "return function() counter = counter + 1; return counter end",
    "json.lua": 'return "a module of its own by the name json"',
}


@pytest.fixture(scope="module")
def app(serve):
    return serve(MODULES)


@pytest.mark.parametrize("path, expected", [
    ("/names", ["plain", "nested", "folder", "lib"]),
    ("/arguments", [["plain", "plain.lua"], ["folder", "folder/init.lua"], ["shared", "lib/shared.lua"]]),
    ("/same", [True, True, True]),
    ("/late", ["late"]),
    ("/own", [False, "string"]),
    ("/load", [True]),
    ("/standard", []),
])
def test_require(app, path, expected):
    assert app.get(path).json() == expected


def test_globals_are_shared_between_the_modules_of_an_application(app):
    first = app.get("/globals").json()
    assert first == [first[0]] * 3
    assert app.get("/globals").json() == [first[0] + 1] * 3


# name, files beside a main file that is right unless given, parts of what is printed
REFUSED = [
    ("a_module_that_is_missing", {"app.lua": 'require "no.such"'}, ["app.lua:1", "module 'no.such' not found", "no/such.lua"]),
    ("a_module_that_is_missing_below_fsd", {"app.lua": 'require "fsd.jsn"'}, ["app.lua:1", "module 'fsd.jsn' not found"]),
    ("an_error_while_a_module_loads", {"app.lua": '\nrequire "sub.broken"', "sub/broken.lua": '\n\nerror("at load")'},
     ["sub/broken.lua:3: at load", "app.lua:2"]),
    ("a_structured_error_while_loading", {"app.lua": 'error(require("fsd").error { message = "structured" })'}, ["structured"]),
    ("a_module_that_does_not_compile", {"app.lua": "return 1", "lib/bad.lua": "local x = = 1"}, ["lib/bad.lua:1:", "unexpected symbol"]),
    ("a_main_file_that_does_not_compile", {"app.lua": "if then"}, ["app.lua:1:", "unexpected symbol near 'then'"]),
    ("every_file_that_does_not_compile", {"app.lua": "x x", "a.lua": "y y", "b.lua": "z z"}, ["app.lua:1:", "a.lua:1:", "b.lua:1:"]),
    ("a_main_file_without_return_app", {"app.lua": 'local app = require("fsd").app()'},
     ["app.lua must end with `return app`", "it returned nil"]),
    ("a_main_file_that_returns_something_else", {"app.lua": "return {}"}, ["app.lua must end with `return app`", "it returned table"]),
    ("a_route_that_is_wrong", {"app.lua": 'local app = require("fsd").app()\n\napp:get("/:id?", print)\nreturn app'},
     ["app.lua:3:", "/:id?"]),
    ("modules_that_require_each_other", {"app.lua": 'require "a"', "a.lua": 'require "b"', "b.lua": 'require "a"'}, ["b.lua:1", "a"]),
]


def run(folder):
    command = [str(BUILD / "fsd"), "run", str(folder / "code/app.lua"), "-p", "0", "--control", str(folder / "control.sock")]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("name, files, parts", REFUSED, ids=[row[0] for row in REFUSED])
def test_application_is_refused_with_the_place(tmp_path, name, files, parts):
    AppProcess(tmp_path, files)
    result = run(tmp_path)
    assert result.returncode == DATA_ERROR, result.stderr
    for part in parts:
        assert part in result.stderr
    assert "listening" not in result.stdout


def test_modules_that_require_each_other_are_told_so(tmp_path):
    AppProcess(tmp_path, {"app.lua": 'require "a"', "a.lua": 'require "b"', "b.lua": 'require "a"'})
    errors = run(tmp_path).stderr
    assert 'b.lua:1: module "a" is being loaded already: it requires itself, directly or through others' in errors


def test_a_module_that_failed_may_be_required_again(serve):
    app = serve({"app.lua": '''
local fsd = require "fsd"
local app = fsd.app()
tries = 0
app:get("/", function()
  local _, first = fsd.try(require, "moody")
  return { first and first.message, require "moody" }
end)
return app''', "moody.lua": 'tries = tries + 1; if tries == 1 then error("not yet") end; return "now"'})
    assert app.get("/").json() == ["moody.lua:1: not yet", "now"]


def test_an_application_that_is_missing_is_named(tmp_path):
    result = run(tmp_path)
    assert result.returncode == NO_INPUT
    assert "code/app.lua" in result.stderr and "No such file or directory" in result.stderr


def test_a_file_beside_the_working_directory_is_not_found(tmp_path):
    app = AppProcess(tmp_path, {"app.lua": 'require "stray"'})
    (tmp_path / "stray.lua").write_text("return {}")
    result = subprocess.run([str(BUILD / "fsd"), "run", str(app.app_path), "-p", "0", "--control", app.control_path],
                            capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert result.returncode == DATA_ERROR
    assert "module 'stray' not found" in result.stderr


def test_settings_env_and_worker_are_known(serve):
    app = serve('''
local fsd = require "fsd"
local app = fsd.app()
local colour = fsd.config.settings.colour -- known while loading
local before = fsd.worker.self()
app:get("/", function()
  local self = fsd.worker.self()
  return { colour, fsd.config.env.KEY, os.getenv("KEY"), fsd.config.app, fsd.config.pool, self.pool, self.slot, self.workers, self.generation,
    math.type(self.pid), math.type(self.incarnation), tostring(before.slot), tostring(before.generation), before.workers }
end)
return app''')
    assert app.get("/").json() == ["red", "value", "value", "shop", "web", "web", 0, 1, 1, "integer", "integer", "nil", "nil", 1]


SLOW = {
    "app.lua": '''
local fsd = require "fsd"
local app = fsd.app()
loads = 0
app:get("/slow", function() return { require("slow").name, require("slow") == require "slow", loads } end)
app:get("/spins", function() return { require("spins") } end)
app:get("/fails", function() local ok, err = pcall(require, "fails"); return { ok, tostring(err), loads } end)
app:get("/circle", function() local ok, err = pcall(require, "circle"); return { ok, tostring(err) } end)
return app
''',
    "slow.lua": 'require("fsd").task.sleep(0.05); loads = loads + 1; return { name = "slow" }',
    "spins.lua": 'local begin = os.clock(); while os.clock() < begin + 0.1 do end; return "done"',
    "fails.lua": 'require("fsd").task.sleep(0.02); loads = loads + 1; error("at load")',
    "circle.lua": 'require("fsd").task.sleep(0.01); return require "circle.back"',
    "circle/back.lua": 'return require "circle"',
}


def test_a_module_whose_top_level_waits_is_loaded_once_for_all(serve):
    app = serve(SLOW)
    with concurrent.futures.ThreadPoolExecutor() as executor:
        answers = [executor.submit(app.get, "/slow") for _ in range(4)]
        assert [answer.result().json() for answer in answers] == [["slow", True, 1]] * 4


def test_a_module_whose_top_level_computes_for_long_is_preempted(serve):
    assert serve(SLOW).get("/spins").json() == ["done"]


def test_a_module_that_failed_after_a_wait_is_loaded_again_by_those_who_waited(serve):
    app = serve(SLOW)
    with concurrent.futures.ThreadPoolExecutor() as executor:
        answers = [executor.submit(app.get, "/fails") for _ in range(3)]
        rows = sorted(answer.result().json()[2] for answer in answers)
    assert rows == [1, 2, 3]


def test_modules_that_require_each_other_are_refused_also_when_they_wait(serve):
    assert "is being loaded already" in serve(SLOW).get("/circle").json()[1]
