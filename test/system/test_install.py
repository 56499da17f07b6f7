"""`make install` lays out programs that find each other, below any DESTDIR."""
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fsd_process import BUILD, ROOT, wait_for  # noqa: E402

PROGRAMS = ["usr/bin/fsdctl", "usr/lib/fsd/fsd-worker", "usr/sbin/fsd"]
FILES = [
    "etc/fsd/fsd.yaml",
    "lib/systemd/system/fsd.service",
    "lib/systemd/system/fsd.socket",
    "usr/lib/sysusers.d/fsd.conf",
    "usr/share/doc/fsd/examples/hello/app.lua",
    "usr/share/fsd/lua/fsd/init.lua",
    "usr/share/fsd/luals/library/fsd/json.lua",
]


def install(destination, prefix="/usr"):
    done = subprocess.run([ROOT / "scripts/install", BUILD, destination, prefix], stdout=subprocess.PIPE, text=True,
                          check=True, timeout=60)
    return done.stdout


@pytest.fixture
def installed(tmp_path):
    install(tmp_path / "root")
    return tmp_path / "root"


def modes(root, names):
    return {name: oct((root / name).stat().st_mode & 0o777) for name in names}


def test_files_lie_where_debian_wants_them(installed):
    assert modes(installed, PROGRAMS) == dict.fromkeys(PROGRAMS, "0o755")
    assert modes(installed, FILES) == dict.fromkeys(FILES, "0o644")
    assert list((installed / "etc/fsd/conf.d").iterdir()) == []
    assert not list(installed.rglob("*.py")), "tests are not installed"


def test_all_modules_and_examples_are_installed(installed):
    for source, target in (("lua/fsd", "usr/share/fsd/lua/fsd"), ("lua/meta", "usr/share/fsd/luals/library/fsd"),
                           ("examples", "usr/share/doc/fsd/examples")):
        wanted = {path.relative_to(ROOT / source) for path in (ROOT / source).rglob("*.lua")}
        assert wanted == {path.relative_to(installed / target) for path in (installed / target).rglob("*.lua")}


def test_the_programs_tell_their_version(installed):
    for name in ("usr/sbin/fsd", "usr/bin/fsdctl"):
        done = subprocess.run([installed / name, "version"], stdout=subprocess.PIPE, text=True, check=True, timeout=30)
        assert done.stdout.startswith(pathlib.Path(name).name + " ")


def test_the_unit_starts_what_is_installed(installed):
    for prefix in ("/usr", "/opt/fsd"):
        root = installed if prefix == "/usr" else installed / "other"
        install(root, prefix)
        unit = (root / "lib/systemd/system/fsd.service").read_text()
        commands = [line.split("=", 1)[1].split()[0].lstrip("+") for line in unit.splitlines() if line.startswith("Exec")]
        assert commands == [f"{prefix}/sbin/fsd", f"{prefix}/bin/fsdctl"]
        assert all((root / command.lstrip("/")).exists() for command in commands)


def test_a_configuration_that_is_there_is_left_alone(installed):
    conf = installed / "etc/fsd/fsd.yaml"
    shipped = conf.read_text()
    assert install(installed) == "", "nothing to say about an unchanged one"
    assert not conf.with_name("fsd.yaml.new").exists()
    conf.write_text("version: 1 # mine\n")
    assert "fsd.yaml.new" in install(installed)
    assert conf.read_text() == "version: 1 # mine\n"
    assert conf.with_name("fsd.yaml.new").read_text() == shipped


@pytest.fixture
def moved_conf(installed, tmp_path):
    """The installed configuration, with what a test cannot have: absolute paths below DESTDIR, a free port."""
    text = (installed / "etc/fsd/fsd.yaml").read_text()
    for old, new in ((" /usr/share/doc/fsd/", f" {installed}/usr/share/doc/fsd/"), ("127.0.0.1:8080", "127.0.0.1:0")):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "fsd.yaml").write_text(text)
    return tmp_path / "fsd.yaml"


def test_the_installed_configuration_is_valid(installed, moved_conf):
    done = subprocess.run([installed / "usr/sbin/fsd", "check", "-c", moved_conf], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=30)
    assert done.returncode == 0, done.stdout


def test_the_installed_daemon_serves_the_installed_example(installed, moved_conf, tmp_path):
    environment = dict(os.environ, FSD_SOCKET=str(tmp_path / "control.sock"))
    with open(tmp_path / "log", "wb") as log:
        daemon = subprocess.Popen([installed / "usr/sbin/fsd", "serve", "-c", moved_conf], env=environment, stdout=log,
                                  stderr=log)

    def ctl(*words):
        return subprocess.run([installed / "usr/bin/fsdctl", *words], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=30)

    def status_when_running():
        assert daemon.poll() is None, (tmp_path / "log").read_text()
        done = ctl("status", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    try:
        address = wait_for(status_when_running, "the daemon to run")["listeners"][0]["address"]
        with urllib.request.urlopen(f"http://{address}/", timeout=30) as answer:
            assert answer.read() == b"Hello, World!"
        assert ctl("stop").returncode == 0
        assert daemon.wait(10) == 0
    finally:
        daemon.kill()
        daemon.wait(10)
