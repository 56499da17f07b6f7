"""lua/meta describes exactly what there is: every function and field of the running worker has a definition, and every
definition is there."""
import re
import subprocess

import pytest

from app_process import AppProcess
from fsd_process import BUILD, ROOT

META = ROOT / "lua/meta"

# Walks the tables of the modules, and the classes through their metatables: an __index is a table of methods, or a function
# whose upvalue is one (name -> method, or name -> number for what is made when asked for).
WALKER = '''
local fsd = require "fsd"
local json = require "fsd.json"
local app = fsd.app()

local function names_of(t)
  local names = json.array{}
  for name in pairs(t) do if type(name) == "string" then names[#names + 1] = name end end
  return names
end

local function class_of(value)
  local index = debug.getmetatable(value).__index
  if type(index) == "function" then
    local _, upvalue = debug.getupvalue(index, 1)
    index = upvalue
  end
  return names_of(index)
end

local route = app:route("/route")
local events
app:get("/events", function(req, res) events = res:sse() end)
app:get("/", function(req, res)
  local known = {}
  for _, name in ipairs{ MODULES } do known[name] = names_of(require(name)) end
  local _, err = fsd.try(error, "x")
  known["fsd.App"] = class_of(app)
  known["fsd.Router"] = class_of(fsd.router())
  known["fsd.Route"] = class_of(route)
  known["fsd.Request"] = class_of(req)
  known["fsd.Response"] = class_of(res)
  known["fsd.EventStream"] = class_of(events)
  known["fsd.Log"] = class_of(fsd.log)
  known["fsd.Error"] = class_of(err)
  known["fsd.Task"] = class_of(fsd.task.spawn(function() end))
  known["fsd.Channel"] = class_of(fsd.task.channel())
  known["fsd.Mutex"] = class_of(fsd.task.mutex())
  known["fsd.Semaphore"] = class_of(fsd.task.semaphore(1))
  known["fsd.WaitGroup"] = class_of(fsd.task.wait_group())
  known["fsd.Timer"] = class_of(fsd.timer.after(0, function() end))
  known["fsd.fs.File"] = class_of(fsd.fs.open("/dev/null"))
  known["fsd.fs.Watcher"] = class_of(fsd.fs.watch("/"))
  known["fsd.Hasher"] = class_of(fsd.crypto.hasher("sha256"))
  known["fields of fsd.Error"] = names_of(err)
  known["fsd.shared.Dictionary"] = class_of(fsd.shared("d"))
  known["fsd.shared.Lease"] = class_of(fsd.shared("d"):try_lock("x"))
  known["fsd.shared.Info"] = names_of(fsd.shared("d"):info())
  known["fsd.worker.Self"] = names_of(fsd.worker.self())
  known["fields of fsd.Log"] = names_of(fsd.log:with{})
  return known
end)
return app
'''


def modules():
    """The modules that the worker has in C, and those in Lua."""
    listed = subprocess.run([BUILD / "fsd-worker", "--list-modules"], capture_output=True, text=True, check=True).stdout
    in_c = {line.split()[0] for line in listed.splitlines()}
    in_lua = {"fsd" if path.stem == "init" else "fsd." + path.stem for path in (ROOT / "lua/fsd").glob("*.lua")}
    return sorted(name for name in in_c | in_lua if not name.endswith(".core"))  # those are for modules in Lua only


class Definitions:
    """What lua/meta says: by class, the names of its functions and of its fields."""

    def __init__(self):
        self.functions, self.fields, self.files = {}, {}, {}
        for path in sorted(META.rglob("*.lua")):
            self.read(path)

    def read(self, path):
        classes, current = {}, None  # classes: the variable that holds one
        text = path.read_text()
        self.files[str(path.relative_to(META).with_suffix(""))] = text
        for line in text.splitlines():
            if match := re.match(r"---@class ([\w.]+)", line):
                current = match[1]
                self.functions.setdefault(current, [])
                self.fields.setdefault(current, [])
            elif match := re.match(r"---@field (\w+)\??\s", line):
                self.fields[current].append(match[1])
            elif match := re.match(r"local (\w+) = \{\}", line):
                classes[match[1]] = current
            elif match := re.match(r"function (\w+)[.:](\w+)\(", line):
                self.functions[classes[match[1]]].append(match[2])
            elif match := re.match(r"(\w+)\.(\w+) = ", line):
                self.fields[classes[match[1]]].append(match[2])

    def names(self, name):
        """Each one once: a name that is defined twice fails."""
        both = self.functions.get(name, []) + self.fields.get(name, [])
        assert len(both) == len(set(both)), f"{name} is defined twice in part: {sorted(both)}"
        return set(both)


@pytest.fixture(scope="module")
def defined():
    return Definitions()


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    walker = WALKER.replace("MODULES", ", ".join(f'"{name}"' for name in modules()))
    files = {f"meta/{path.relative_to(META)}": path.read_text() for path in META.rglob("*.lua")}  # compiled with it, not run
    app = AppProcess(tmp_path_factory.mktemp("meta"), {"app.lua": walker, **files})
    try:
        app.start_ready(["--shared", "d"])
        app.get("/events")
        return {name: set(names) for name, names in app.get("/").json().items()}
    finally:
        app.kill()


def test_each_module_has_a_file_of_definitions_and_no_other_has():
    expected = {name.removeprefix("fsd.") for name in modules()}
    assert {path.stem for path in META.glob("*.lua")} == expected


@pytest.mark.parametrize("path", sorted(META.glob("*.lua")), ids=lambda path: path.stem)
def test_each_file_names_its_module(path):
    name = "fsd" if path.stem == "fsd" else "fsd." + path.stem
    assert path.read_text().startswith(f"---@meta {name}\n")


@pytest.mark.parametrize("path", sorted(META.glob("*/**/*.lua")), ids=lambda path: path.stem)
def test_each_file_of_classes_stands_in_the_folder_of_their_module(path):
    assert (META / path.relative_to(META).parts[0]).with_suffix(".lua").exists()
    assert path.read_text().startswith("---@meta\n")


@pytest.mark.parametrize("name", [name for name in modules() if name not in ("fsd", "fsd.log")])
def test_module_has_the_names_that_are_defined(defined, known, name):
    assert known[name] == defined.names(name)


def test_fsd_has_its_functions_and_each_module_as_a_field(defined, known):
    functions = set(defined.functions["fsd"])
    submodules = {name.removeprefix("fsd.") for name in modules() if name != "fsd"}
    assert set(defined.fields["fsd"]) == submodules
    assert known["fsd"] - submodules == functions
    assert functions <= known["fsd"]


@pytest.mark.parametrize("name", ["fsd.App", "fsd.Router", "fsd.Route", "fsd.Request", "fsd.Response", "fsd.EventStream", "fsd.Task", "fsd.Channel", "fsd.Mutex", "fsd.Semaphore",
                                  "fsd.WaitGroup", "fsd.Timer", "fsd.Hasher", "fsd.fs.File", "fsd.fs.Watcher", "fsd.shared.Dictionary", "fsd.shared.Lease", "fsd.shared.Info"])
def test_class_has_the_names_that_are_defined(defined, known, name):
    assert known[name] == defined.names(name)


@pytest.mark.parametrize("name, optional", [("fsd.Error", {"cause"}), ("fsd.Log", set())])
def test_class_has_the_methods_and_the_fields_that_are_defined(defined, known, name, optional):
    assert known[name] == set(defined.functions[name])
    assert known["fields of " + name] == set(defined.fields[name]) - optional


def test_worker_self_has_the_fields_that_are_defined(defined, known):
    assert known["fsd.worker.Self"] == defined.names("fsd.worker.Self")


def test_each_parameter_and_each_function_is_described(defined):
    """A function's definition stands below a comment, and each of its parameters is named there."""
    for stem, text in defined.files.items():
        for match in re.finditer(r"((?:^---.*\n)*)^function ([\w.:]+)\((.*?)\)", text, re.MULTILINE):
            comment, function, parameters = match.groups()
            assert comment, f"{stem}: {function} has no comment"
            for parameter in filter(None, parameters.split(", ")):
                assert re.search(rf"@param {re.escape(parameter)}\?? ", comment), f"{stem}: {function}: {parameter} is not described"


@pytest.mark.parametrize("name, function", [("fsd", "fsd.try"), ("crypto", "crypto.password_hash"), ("crypto", "crypto.password_verify"),
                                            ("process", "process.run"), ("process", "process.shell"),
                                            ("fs", "file:sync"), ("fs", "watcher:next")] + [("task", function) for function in (
    "task.sleep", "task.yield", "task.all", "task.race", "task.map", "task.timeout", "Task:join", "Channel:put", "Channel:get", "Mutex:lock",
    "Mutex:with", "Semaphore:acquire", "Semaphore:with", "WaitGroup:wait")])
def test_what_waits_is_marked_as_async(defined, name, function):
    comment = re.search(rf"((?:^---.*\n)*)^function {re.escape(function)}\(", defined.files[name], re.MULTILINE)[1]
    assert "---@async\n" in comment
