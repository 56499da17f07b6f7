"""fsd as a unit of a real systemd: installed by scripts/install into a Debian that is booted once, where
test/support/systemd_inside.py does what an operator does.  Each test judges one of its scenarios."""
import json
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import nspawn  # noqa: E402
from fsd_process import BUILD, ROOT  # noqa: E402
from service import IS_SANITIZED, PROBE  # noqa: E402

pytestmark = pytest.mark.slow
UNIT = """[Unit]
Description=test
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -B /root/inside.py
ExecStopPost=/bin/systemctl exit 0
StandardOutput=journal+console
StandardError=journal+console
"""
NO_START_LIMIT = "[Unit]\nStartLimitIntervalSec=0\n"


def prepare(root):
    """Installs the programs as `make install` does, and what is to be run."""
    done = subprocess.run([ROOT / "scripts/install", BUILD, root, "/usr"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    shutil.copy(ROOT / "test/support/systemd_inside.py", root / "root/inside.py")
    shutil.copy(PROBE, root / "root/probe.lua")
    units = root / "etc/systemd/system"
    (units / "inside.service").write_text(UNIT)
    (units / "fsd.service.d").mkdir()
    (units / "fsd.service.d/test.conf").write_text(NO_START_LIMIT)
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants/inside.service").symlink_to("../inside.service")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    if IS_SANITIZED:
        pytest.skip("sanitized programs don't fit into the sandbox of the unit; the release build is tested")
    try:
        with nspawn.machine(BUILD, tmp_path_factory.mktemp("machine")) as machine:
            prepare(machine.path)
            console = machine.boot(seconds=240)
            written = machine.path / "root/results"
            assert written.exists(), console
            rows = [json.loads(line) for line in written.read_text().splitlines()]
    except nspawn.CannotRun as why:
        pytest.skip(f"no systemd can be booted here: {why}")
    found = {row.pop("scenario"): row for row in rows}
    assert "end" in found, console
    return found


@pytest.fixture
def facts(results, request):
    """Of the scenario that the test is named after."""
    name = request.node.name.removeprefix("test_")
    found = results[name]
    assert "error" not in found, found["error"] + found["status"]
    return found


def has_line(lines, *words):
    return any(all(word in line for word in words) for line in lines)


def test_it_starts(facts):
    """`systemctl start` comes back when the workers serve, and everything runs as fsd."""
    assert facts["start"]["code"] == 0, facts["start"]
    assert (facts["state"], facts["body"]) == ("running", "hello")
    assert facts["user"] == [str(facts["fsd"])] * 4
    assert len(facts["workers"]) == 3, "two that serve and one in reserve"
    assert all(uids == [str(facts["fsd"])] * 4 for uids in facts["workers"])
    assert {record["FSD_EVENT"] for record in facts["records"]} >= {"worker.ready", "daemon.ready"}
    ready = [record for record in facts["records"] if record["FSD_EVENT"] == "worker.ready"]
    assert {(record["FSD_POOL"], record["FSD_SLOT"], record["PRIORITY"]) for record in ready} == {
        ("web", "0", "5"), ("web", "1", "5")}
    assert {record["SYSLOG_IDENTIFIER"] for record in facts["records"]} == {"fsd"}


def test_units_are_sound(facts):
    assert facts["fsd.service"] == facts["fsd.socket"] == {"code": 0, "text": ""}


def test_privileges(facts):
    master, worker, control = facts["master"], facts["worker"], facts["control"]
    bind_only = f"{1 << 10:016x}"
    assert (master["CapEff"], master["CapBnd"], master["NoNewPrivs"], master["Seccomp"]) == (bind_only, bind_only, "1", "2")
    assert (worker["NoNewPrivs"], worker["Seccomp"]) == ("1", "2")
    assert {int(worker[name], 16) for name in ("CapEff", "CapPrm", "CapAmb")} == {0}
    assert facts["fsd"]["code"] == 4, "application code runs as fsd, and is no operator"
    assert facts["oom"] == {"OOMScoreAdjust": "-300", "OOMPolicy": "continue"}
    assert worker["oom_score_adj"] >= master["oom_score_adj"], "a machine within a machine may not lower it"
    assert control["mode"] == "0o660" and control["gid"] == control["admins"], "members of fsd-admin may use fsdctl"
    assert facts["folders"] == {"/run/fsd": "0o755", "/var/lib/fsd": "0o750"}


def test_restart_with_stored_sockets(facts):
    """The sockets that fsd opened itself live on in systemd's fd store: connections wait there, none is refused."""
    assert facts["restart"]["code"] == 0 and facts["is_new"] and facts["stored"] == "2"
    assert facts["failures"] == [] and facts["answered"] > 40, facts


def test_fewer_workers_after_a_restart(facts):
    """What waits in sockets that have no slot any more is served, then they go."""
    assert facts["restart"]["code"] == 0 and facts["failures"] == [], facts


def test_reload(facts):
    assert facts["reload"] == {"code": 0, "text": ""} and facts["version"] == "2" and facts["is_same"]
    assert (facts["state"], facts["text"]) == ("running", "running: web 2/2; config 3"), facts
    assert has_line(facts["journal"], "reload is done"), facts["journal"]


def test_reload_that_fails(facts):
    """It says so, systemd knows, the reason stands in the journal, and nothing has changed."""
    assert facts["reload"]["code"] != 0 and "failed" in facts["reload"]["text"].lower(), facts["reload"]
    assert facts["version"] == "2" and (facts["active"], facts["state"]) == ("active", "running")
    assert facts["text"].startswith("running: web 2/2")
    assert has_line(facts["journal"], "app.lua:1", "syntax error"), facts["journal"]


def test_deploy_like_ansible(facts):
    assert facts["bad"]["code"] == 78 and '"prob"' in facts["bad"]["text"], facts["bad"]
    assert facts["good"]["code"] == 0, facts["good"]
    assert facts["reload"]["code"] == 0 and facts["is_same"] and facts["body"] == "hello", facts
    assert re.fullmatch(r"running: .*web 2/2.*; config \d+", facts["text"]) and "more 1/1" in facts["text"]


def test_reload_of_a_bad_configuration(facts):
    assert facts["reload"]["code"] != 0
    assert facts["active"] == "active" and facts["body"] == "hello"
    assert has_line(facts["journal"], "shop.yaml:1:", '"prob"'), facts["journal"]


def test_bad_configuration_is_not_tried_again(facts):
    assert facts["restart"]["code"] != 0
    assert (facts["active"], facts["code"], facts["restarts"]) == ("failed", "78", "0"), facts
    assert has_line(facts["journal"], "shop.yaml:1:", '"prob"'), facts["journal"]


def test_listeners_come_and_go(facts):
    assert all(facts[word]["code"] == 0 for word in ("more", "less", "rename", "restart")), facts
    assert facts["is_refused"], "a listener that has left the configuration is ended, also the copy in the store"
    assert facts["failures"] == [] and facts["stored_renamed"] == "2", facts


def test_killed_master(facts):
    """Only what its workers had in hand is lost; nobody is refused."""
    assert facts["old_workers"] >= 2 and facts["restarts"] == "1" and facts["body"] == "hello"
    assert not has_line(facts["failures"], "refused"), facts["failures"]


def test_stopped_master(facts):
    """The watchdog ends a master whose loop does not turn, and systemd starts another."""
    assert facts["start"]["code"] == 0 and facts["alive"], "the watchdog was fed"
    assert facts["body"] == "hello" and facts["restarts"] == "1"
    assert has_line(facts["journal"], "Watchdog timeout"), facts["journal"]


def test_upgrade(facts):
    """The main process stays the same for systemd, with its watchdog, its status and what it has stored."""
    assert "result" in facts["answer"], facts["answer"]
    assert facts["is_same"] and facts["is_other"] and facts["failures"] == [] and facts["answered"] > 40, facts
    assert (facts["state"], facts["stored"]) == ("running", "2"), facts
    assert facts["text"].startswith("running: web 2/2; config "), facts
    assert "daemon.upgraded" in facts["events"] and facts["restart"]["code"] == 0


def test_slow_boot(facts):
    """The master asks for time, and systemd sees that it reloads and when that is over."""
    for word in ("start", "reload"):
        assert facts[word] == 0, facts
        assert facts[word + "_ends"] == ["active", "running", "running: web 1/1"], facts
    assert facts["body"] == "hello"


def test_slow_stop(facts):
    assert facts["code"] == 0 and facts["sub_state"] == "stop-sigterm"
    assert facts["seconds"] > 2.5, "longer than TimeoutStopSec"
    assert facts["body"] == "slow" and facts["result"] == "success", facts
    assert facts["left"] == [] and facts["refused"] and facts["stored"] == "0"


def test_stop_at_once(facts):
    assert facts["stop"]["code"] == 0 and facts["active"] == "inactive"
    assert facts["left"] == [] and facts["names"] == [] and facts["refused"]


def test_socket_activation(facts):
    """The first connection starts the service, and a restart refuses nobody; the sockets are systemd's, so none is stored."""
    assert facts["open"]["code"] == 0 and facts["active_before"] == "inactive"
    assert facts["body"] == "hello"
    assert facts["restart"]["code"] == 0 and facts["is_new"] and facts["failures"] == [], facts
    assert facts["stored"] == "0" and facts["warnings"] == [] and not facts["refused_when_stopped"]


def test_no_unit_has_failed(results):
    assert results["end"]["failed_units"]["text"] == ""


def test_the_unit_gives_little_away(capsys):
    """Offline, so also where nothing can be booted."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", ROOT / "systemd/fsd.service"],
                          stdout=subprocess.PIPE, text=True, timeout=30)
    exposure = float(re.search(r"exposure level for fsd.service: ([\d.]+)", done.stdout).group(1))
    with capsys.disabled():
        print(f"\nexposure of fsd.service: {exposure} (at most 2.0)")
    assert exposure <= 2.0, done.stdout
