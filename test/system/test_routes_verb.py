"""`fsd routes`: the routes of an application, without starting it."""
import json
import re
import subprocess

import pytest

from fsd_process import BUILD, ROOT

APP = '''
local fsd = require "fsd"
local app = fsd.app()
app:get("/", { name = "home" }, function() end)
local api = require "api"
app:use("/api", api)
app:on("start", function() error("is not started") end)
return app
'''
API = 'local r = require("fsd").router()\nr:get("/things/:id", { name = "thing" }, print):post({ "/a", "/b" }, print):all("/ü", print)\nreturn r'


def routes(folder, app, *options, **files):
    (folder / "app.lua").write_text(app)
    for name, text in files.items():
        (folder / f"{name}.lua").write_text(text)
    return subprocess.run([BUILD / "fsd", "routes", *options, folder / "app.lua"], capture_output=True, text=True, timeout=60)


def test_table_names_method_path_name_and_place(tmp_path):
    done = routes(tmp_path, APP, api=API)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == """\
METHOD  PATH             NAME   WHERE
GET     /                home   app.lua:4
GET     /api/things/:id  thing  api.lua:2
POST    /api/a           -      api.lua:2
POST    /api/b           -      api.lua:2
*       /api/ü           -      api.lua:2
"""


def test_json_has_the_same(tmp_path):
    done = routes(tmp_path, APP, "--json", api=API)
    listed = json.loads(done.stdout)["routes"]
    assert listed[1] == {"method": "GET", "path": "/api/things/:id", "name": "thing", "where": "api.lua:2", "scope": "/api"}
    assert json.loads(routes(tmp_path, "return require('fsd').app()", "--json").stdout) == {"routes": []}


def test_shared_dictionaries_may_be_named_but_hold_nothing(tmp_path):
    app = "local fsd = require 'fsd'\nlocal app, users = fsd.app(), fsd.shared('users')\n%s\napp:get('/', fsd.mw.rate_limit(), print)\nreturn app"
    done = routes(tmp_path, app % "")
    assert (done.returncode, done.stdout.split("\n")[1].split()[:2]) == (0, ["GET", "/"])
    done = routes(tmp_path, app % "users:get('ann')")
    assert (done.returncode, done.stdout) == (65, "")
    assert "app.lua:3:" in done.stderr and "shared dictionaries hold nothing" in done.stderr


@pytest.mark.parametrize("example", ["hello", "notes", "upload", "login", "chat"])
def test_examples_have_routes(example):
    done = subprocess.run([BUILD / "fsd", "routes", ROOT / "examples" / example / "app.lua"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^GET +/ ", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("app, message", [
    ("local app = nil\napp:get('/', print)", "app.lua:2:"), ("return 5", "the main file must end with `return app`"), ("return +", "app.lua:1:"),
    ("local fsd = require 'fsd'\nlocal app, r = fsd.app(), fsd.router()\nr:get('/x', print)\napp:use('/*all', r)\nreturn app", "nothing may follow the wildcard"),
])
def test_application_that_does_not_load_is_refused(tmp_path, app, message):
    done = routes(tmp_path, app)
    assert (done.returncode, done.stdout) == (65, "")
    assert message in done.stderr


def test_folder_stands_for_its_main_file(tmp_path):
    by_file = routes(tmp_path, APP, api=API)
    done = subprocess.run([BUILD / "fsd", "routes", tmp_path], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, by_file.stdout)


def test_missing_file_has_a_code_of_its_own(tmp_path):
    assert subprocess.run([BUILD / "fsd", "routes", tmp_path / "none.lua"], capture_output=True, timeout=60).returncode == 66
