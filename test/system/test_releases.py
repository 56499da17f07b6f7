"""Deploys that turn a symbolic link: all code of a reload comes from one release, whenever the link is turned."""
import json
import os

from service import BUILD
from supervised import ask

APP = """
local fsd = require "fsd"
local part = require "lib.part"
local app = fsd.app()
app:get("/", function(req, res) res:json({ main = "VERSION", part = part }) end)
return app
"""
# The first bundle tool that is started while the flag is there turns the link before it reads anything.
TURNING_WORKER = """#!/usr/bin/python3
import os, sys
if "--tool" in sys.argv:
    try:
        os.remove("FLAG")
        os.symlink("two", "FOLDER/next")
        os.rename("FOLDER/next", "FOLDER/current")
    except FileNotFoundError:
        pass
os.execv("WORKER", ["fsd-worker", *sys.argv[1:]])
"""
NAMES = ("shop", "blog")


def write_release(folder, version):
    for name in NAMES:
        lib = folder / version / name / "lib"
        lib.mkdir(parents=True)
        (lib.parent / "app.lua").write_text(APP.replace("VERSION", version))
        (lib / "part.lua").write_text(f'return "{version}"')


def turn(folder, version):
    os.symlink(version, folder / "next")
    os.rename(folder / "next", folder / "current")


def start_behind_link(make_service, **parts):
    """Two applications whose code lies behind one link."""
    service = make_service()
    folder = service.folder / "releases"
    folder.mkdir()
    for version in ("one", "two"):
        write_release(folder, version)
    turn(folder, "one")
    conf = {"version": 1, "control": {"path": service.control_path}, "state": {"path": str(service.folder / "state")},
            "listeners": {name: {"listen": "127.0.0.1:0"} for name in NAMES},
            "apps": {name: {"path": str(folder / "current" / name / "app.lua")} for name in NAMES},
            "pools": {name: {"app": name, "listeners": [name], "count": 1} for name in NAMES}, **parts}
    (service.folder / "fsd.yaml").write_text(json.dumps(conf))
    return service, folder


def answers(service):
    return [ask(service, name)[2] for name in NAMES]


def of_version(version):
    return [{"main": version, "part": version}] * len(NAMES)


def test_a_reload_follows_the_link(make_service):
    service, folder = start_behind_link(make_service)
    service.start_ready()
    assert answers(service) == of_version("one")
    turn(folder, "two")
    assert answers(service) == of_version("one")
    assert service.ctl("reload").returncode == 0
    assert answers(service) == of_version("two")


def test_a_link_that_is_turned_while_the_code_is_read_mixes_no_two_releases(make_service):
    service, folder = start_behind_link(make_service)
    flag = service.folder / "flag"
    worker = service.folder / "turning-worker"
    worker.write_text(TURNING_WORKER.replace("FLAG", str(flag)).replace("FOLDER", str(folder))
                      .replace("WORKER", str(BUILD / "fsd-worker")))
    worker.chmod(0o755)
    service.worker_path = str(worker)
    service.start_ready()
    flag.write_text("")
    assert service.ctl("reload").returncode == 0
    assert not flag.exists()
    assert os.readlink(folder / "current") == "two"
    assert answers(service) == of_version("one")
    assert service.ctl("reload").returncode == 0
    assert answers(service) == of_version("two")


def test_code_that_is_too_large_is_refused_with_its_size(make_service):
    service, folder = start_behind_link(make_service)
    service.start_ready()
    turn(folder, "two")
    big = folder / "two" / "blog" / "data.lua"
    big.touch()
    os.truncate(big, 65 * 1024 * 1024)
    result = service.ctl("reload")
    assert result.returncode == 1
    assert f'cannot bundle "{folder}/two/blog": it has 3 files of code with 65.1 MiB, the limit is 10000 files and 64 MiB' in result.stderr
    assert answers(service) == of_version("one")
