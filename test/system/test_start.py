"""Starting: what is printed, what is refused with one clear line and which exit code."""
import json
import os
import re
import shutil
import socket
import subprocess

import pytest
from service import BUILD, PROBE, ROOT, wait_for

GOOD_CONF = """version: 1
listeners:
  web: {{ listen: "127.0.0.1:0" }}
apps:
  probe: {{ path: {path} }}
pools:
  web: {{ app: probe, listeners: [web], count: 1 }}
control: {{ path: {control} }}
"""


def fsd(*words, **options):
    command = [str(BUILD / "fsd"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, **options)


def errors(text):
    """The lines that say what is wrong, without what the log says around them."""
    return [line for line in text.splitlines() if " error   " in line or line.startswith("fsd: ") or ": error: " in line]


@pytest.mark.basic
def test_run_on_port_0_prints_its_url_and_its_control_socket(make_service):
    service = make_service(workers=2).start_ready()
    url, control = service.out().splitlines()
    port = int(re.fullmatch(r"app: listening on http://127\.0\.0\.1:(\d+)", url)[1])
    assert port > 0 and service.address() == f"127.0.0.1:{port}"
    assert control.startswith(f"control: {service.control_path} ")
    assert service.get("/").text == "hello"


@pytest.mark.basic
def test_run_makes_a_control_socket_of_its_own_when_none_is_named(make_service, tmp_path):
    service = make_service()
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    command = [str(BUILD / "fsd"), "run", str(service.app_path), "-p", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment) as run:
        try:
            assert run.stdout.readline().startswith("app: listening on http://127.0.0.1:")
            path = re.fullmatch(r"control: (\S+) \(fsdctl -s \S+ status\)\n", run.stdout.readline())[1]
            assert path.startswith(str(tmp_path))
            status = subprocess.run([str(BUILD / "fsdctl"), "status", "-s", path], capture_output=True, check=False)
            assert status.returncode == 0
        finally:
            run.terminate()
    assert run.returncode == 0
    assert not os.path.exists(path)


@pytest.mark.basic
def test_serve_takes_its_configuration_from_a_file(make_service):
    service = make_service(workers=2)
    service.write_conf()
    service.start_ready()
    answer = service.get("/config").json()
    assert answer == {"settings": {"colour": "red"}, "env": {"KEY": "value"}, "app": "shop", "pool": "web", "getenv": "value"}
    assert {row["slot"] for row in service.workers("ready")} == {0, 1}


def test_files_of_conf_d_are_laid_over_the_configuration(make_service):
    service = make_service()
    service.write_conf()
    (service.folder / "conf.d").mkdir()
    (service.folder / "conf.d/10-colour.yaml").write_text("apps: { shop: { settings: { colour: green } } }\n")
    (service.folder / "conf.d/20-colour.yaml").write_text("apps: { shop: { settings: { colour: blue, size: 3 } } }\n")
    service.start_ready()
    assert service.get("/config").json()["settings"] == {"colour": "blue", "size": 3}


def test_references_to_environment_files_and_credentials_reach_the_application(make_service, tmp_path):
    service = make_service()
    service.write_conf()
    (tmp_path / "secret").write_text("from a file\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/token").write_text("from systemd")
    (service.folder / "conf.d").mkdir()
    (service.folder / "conf.d/refs.yaml").write_text(json.dumps({"apps": {"shop": {
        "settings": {"file": f"${{FILE:{tmp_path}/secret}}", "credential": "${CRED:token}", "missing": "${ENV:NO_SUCH:-none}"},
        "env": {"KEY": "${ENV:PROBE_KEY}"}}}}))
    service.start_ready(env={**os.environ, "PROBE_KEY": "from the environment",
                             "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")})
    answer = service.get("/config").json()
    assert answer["settings"] == {"colour": "red", "file": "from a file", "credential": "from systemd", "missing": "none"}
    assert answer["getenv"] == "from the environment"


@pytest.mark.basic
def test_check_says_that_a_good_configuration_is_good_and_starts_nothing(tmp_path):
    conf = tmp_path / "fsd.yaml"
    conf.write_text(GOOD_CONF.format(path=PROBE, control=tmp_path / "control.sock"))
    result = fsd("check", "-c", conf)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{conf}: ok (1 file)\n", "")
    assert not (tmp_path / "control.sock").exists()


@pytest.mark.basic
@pytest.mark.parametrize("verb", ["check", "serve"])
def test_a_wrong_configuration_names_its_place_the_line_and_what_was_meant(tmp_path, verb):
    conf = tmp_path / "fsd.yaml"
    text = GOOD_CONF.format(path=PROBE, control=tmp_path / "control.sock").replace("count: 1", "cuont: 1")
    conf.write_text(text)
    result = fsd(verb, "-c", conf)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "cuont" in line)
    column = text.splitlines()[line - 1].index("cuont") + 1
    assert result.returncode == 78
    assert result.stderr.startswith(f"{conf}:{line}:{column}: error: ")
    assert text.splitlines()[line - 1].strip() in result.stderr
    assert 'did you mean "count"?' in result.stderr
    assert len(errors(result.stderr)) == 1


@pytest.mark.basic
def test_every_mistake_of_a_configuration_is_told_at_once(tmp_path):
    conf = tmp_path / "fsd.yaml"
    text = GOOD_CONF.format(path=PROBE, control=tmp_path / "control.sock")
    conf.write_text(text.replace("app: probe", "app: prob").replace("127.0.0.1:0", "127.0.0.1:99999"))
    result = fsd("check", "-c", conf)
    assert result.returncode == 78
    assert len(errors(result.stderr)) == 2
    assert all(re.match(rf"{re.escape(str(conf))}:\d+:\d+: error: ", line) for line in errors(result.stderr))


@pytest.mark.basic
def test_a_missing_configuration_is_one_line(tmp_path):
    result = fsd("serve", "-c", tmp_path / "none.yaml")
    assert result.returncode == 78
    assert errors(result.stderr) == [f'fsd: error: cannot read "{tmp_path}/none.yaml": No such file or directory']


@pytest.mark.basic
def test_a_missing_application_is_one_line(tmp_path):
    result = fsd("run", tmp_path / "none.lua", "-p", "0")
    assert result.returncode == 66
    assert result.stderr == f'fsd: cannot open "{tmp_path}/none.lua": No such file or directory\n'


@pytest.mark.basic
@pytest.mark.parametrize("text, words", [
    ("local x = = 1\n", r"app\.lua:1: unexpected symbol near '='"),
    ("local fsd = require 'fsd'\n\nerror('no database here')\n", r"app\.lua:3: no database here"),
    ("local fsd = require 'fsd'\nlocal x = nil + 1\nreturn fsd.app()\n", r"app\.lua:2: attempt to perform arithmetic on a nil value"),
    ("return 17\n", r"app\.lua must end with `return app` .*it returned number"),
    ("local x = 1\n", r"app\.lua must end with `return app` .*it returned nil"),
    ("require 'no.such.module'\n", r"app\.lua:1: module 'no\.such\.module' not found"),
], ids=["syntax", "error", "arithmetic", "number", "nothing", "module"])
def test_code_that_cannot_be_loaded_names_its_place(make_service, text, words):
    service = make_service(text).start()
    assert service.wait_exit() == 65
    assert re.search(words, service.log())
    assert " error   " in service.log()
    assert not os.path.exists(service.control_path)


def test_check_finds_code_that_does_not_compile(tmp_path):
    (tmp_path / "app.lua").write_text("return {\n  1 2\n}\n")
    conf = tmp_path / "fsd.yaml"
    conf.write_text(GOOD_CONF.format(path=tmp_path / "app.lua", control=tmp_path / "control.sock"))
    result = fsd("check", "-c", conf)
    assert result.returncode == 65
    assert "app.lua:2: '}' expected near '2'" in result.stderr or "app.lua:2: '}' expected" in result.stderr


@pytest.mark.basic
def test_a_port_in_use_is_one_line(make_service):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        service = make_service()
        service.write_conf(listen=f"127.0.0.1:{port}")
        assert service.start().wait_exit() == 71
    assert [line.split(" ", 1)[1] for line in errors(service.log())] == [
        f'error   fsd[{service.process.pid}] cannot bind "127.0.0.1:{port}": Address already in use listener=web']


@pytest.mark.basic
def test_a_stale_control_socket_is_taken_over(make_service):
    service = make_service()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(service.control_path)
    service.start_ready()
    assert "removed a stale control socket" in service.log()
    assert service.ctl("status").returncode == 0


def test_a_daemon_that_was_killed_leaves_nothing_that_hinders_the_next_one(make_service):
    service = make_service(workers=2)
    service.write_conf()
    service.start_ready()
    service.kill()
    assert os.path.exists(service.control_path)
    service.known_address = None
    service.start_ready()
    assert service.get("/").text == "hello"


@pytest.mark.basic
def test_a_worker_program_of_another_protocol_is_one_line(make_service):
    service = make_service("{}")  # what the stand-in for the worker takes as an application
    service.worker_path = str(service.folder / "fsd-worker")
    shutil.copy(ROOT / "test/support/fake_worker.py", service.worker_path)
    (service.folder / "worker.json").write_text('{"protocol": 7}')
    assert service.start().wait_exit() == 76
    assert len(errors(service.log())) == 1
    assert re.search(r"speaks protocol 7, this fsd speaks \d+: ", errors(service.log())[0])


@pytest.mark.basic
def test_no_worker_program_is_one_line(make_service):
    service = make_service()
    service.worker_path = str(service.folder / "nothing")
    assert service.start().wait_exit() == 70
    assert service.log().splitlines() == [
        f'fsd: cannot use "{service.worker_path}" as fsd-worker: No such file or directory']


@pytest.mark.basic
@pytest.mark.parametrize("words", [["rnu", "app.lua"], ["run"], ["run", "app.lua", "--prot", "1"], ["run", "app.lua", "-p", "http"],
                                   ["run", "app.lua", "-w", "0"], ["serve", "extra"]])
def test_a_wrong_command_line_exits_with_64(tmp_path, words):
    shutil.copy(PROBE, tmp_path / "app.lua")
    result = fsd(*words, cwd=tmp_path)
    assert result.returncode == 64
    assert result.stderr.startswith("fsd: ") and result.stdout == ""


def test_the_modules_of_the_application_are_loaded_from_beside_it(make_service):
    service = make_service({"app.lua": "local fsd = require 'fsd'\nlocal shop = require 'lib.shop'\nlocal app = fsd.app()\n"
                                       "app:get('/', function(req, res) res:send(shop.name) end)\nreturn app\n",
                            "lib/shop.lua": "return { name = 'the shop' }\n"}).start_ready()
    assert service.get("/").text == "the shop"
    wait_for(lambda: service.status()["pools"][0]["requests_total"] == 1, "the request to be counted")
