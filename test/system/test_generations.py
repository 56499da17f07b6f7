"""The code that the daemon keeps: what it is called, what is worth keeping, and who says that it has proved itself."""
import json

import pytest
from fsd_process import RpcError
from kept_code import app_of, count_bundles, deploy, roles, set_probation, wait_event
from service import wait_for


@pytest.fixture
def unproven(make_service):
    """One that runs, and whose code is not confirmed before somebody says so."""
    service = make_service(workers=2)
    service.write_conf()
    set_probation(service, "1d")
    return service.start_ready()


def wait_confirmed(service, number):
    wait_for(lambda: "confirmed" in roles(service).get(number, ""), f"generation {number} to be confirmed", 60)


@pytest.mark.basic
def test_the_one_that_runs_the_one_before_and_the_confirmed_one_are_kept(unproven):
    assert roles(unproven) == {1: "running"}
    deploy(unproven, 2)
    assert roles(unproven) == {2: "running", 1: "previous"}
    assert unproven.ctl("confirm").returncode == 0
    assert roles(unproven) == {2: "running confirmed", 1: "previous"}
    for version in (3, 4, 5):
        deploy(unproven, version)
    assert roles(unproven) == {5: "running", 4: "previous", 2: "confirmed"}
    rows = app_of(unproven)["generations"]
    assert [row["number"] for row in rows] == [5, 4, 2]
    assert len({row["sha256"] for row in rows}) == 3
    assert rows[0]["at"] > rows[1]["at"] > rows[2]["at"] > unproven.status()["started_at"] - 1
    assert all(row["memory_bytes"] >= row["bytes"] > 0 for row in rows)


def test_what_is_not_kept_takes_no_descriptor(unproven):
    for version in range(2, 6):
        deploy(unproven, version)
    assert unproven.ctl("confirm").returncode == 0
    deploy(unproven, 6)
    deploy(unproven, 7)
    assert count_bundles(unproven) == len(roles(unproven)) == 3


@pytest.mark.basic
def test_generations_are_a_table_and_one_object(unproven):
    deploy(unproven, 2)
    assert unproven.ctl("confirm", "shop").returncode == 0
    deploy(unproven, 3)
    result = unproven.ctl("generations")
    assert (result.returncode, result.stderr) == (0, "")
    title, *lines = result.stdout.splitlines()
    assert title.split() == ["APP", "GEN", "HASH", "COMMITTED", "MEMORY", "STATE"]
    assert [line.split()[:2] for line in lines] == [["shop", "3"], ["shop", "2"]]
    assert "running, in probation for " in lines[0]
    assert lines[1].endswith("confirmed, previous")
    shown = json.loads(unproven.ctl("generations", "shop", "--json").stdout)
    assert shown["schema"] == "fsd.generations/1"
    assert shown["apps"][0]["probation_ms"] == 24 * 3600 * 1000
    assert 0 < shown["apps"][0]["probation_left_ms"] <= 24 * 3600 * 1000
    assert [row["sha256"][:12] for row in shown["apps"][0]["generations"]] == [line.split()[2] for line in lines]
    unknown = unproven.ctl("generations", "nope")
    assert (unknown.returncode, unknown.stderr) == (1, 'there is no app "nope"\n')


@pytest.mark.basic
def test_code_that_has_run_its_time_is_confirmed_by_itself(make_service):
    service = make_service()
    service.write_conf(log_format="json")
    set_probation(service, "10ms")
    service.start_ready()
    record = wait_event(service, "code.confirmed")
    assert (record["app"], record["generation"], record["how"]) == ("shop", 1, "probation")
    deploy(service, 2)
    wait_event(service, "code.confirmed", generation=2)
    assert roles(service) == {2: "running confirmed", 1: "previous"}


def test_by_default_the_first_code_has_to_prove_itself_for_a_minute(service):
    app = app_of(service)
    assert app["probation_ms"] == 60000
    assert 0 < app["probation_left_ms"] <= 60000
    assert roles(service) == {1: "running"}


def test_the_time_of_probation_changes_with_the_configuration(unproven):
    set_probation(unproven, "10ms")
    plan = unproven.ctl("config", "plan")
    assert "adjust  pool web  probation 24h -> 10ms" in plan.stdout
    pids = {row["pid"] for row in unproven.workers()}
    assert unproven.ctl("config", "apply").returncode == 0
    wait_confirmed(unproven, 1)
    assert {row["pid"] for row in unproven.workers()} == pids


def test_an_upgrade_of_the_daemon_keeps_all_code(unproven):
    deploy(unproven, 2)
    assert unproven.ctl("confirm").returncode == 0
    for version in (3, 4):
        deploy(unproven, version)
    before = unproven.call("generations")
    result = unproven.ctl("upgrade")
    assert result.returncode == 0, result.stderr
    after = unproven.call("generations")
    assert after["apps"][0].pop("probation_left_ms") <= before["apps"][0].pop("probation_left_ms")
    assert after == before
    assert roles(unproven) == {4: "running", 3: "previous", 2: "confirmed"}
    deploy(unproven, 5)
    assert roles(unproven) == {5: "running", 4: "previous", 2: "confirmed"}


@pytest.mark.parametrize("method", ["generations", "confirm"])
def test_an_app_that_is_not_there_is_named(service, method):
    with pytest.raises(RpcError, match='there is no app "nope"'):
        service.call(method, app="nope")
    with pytest.raises(RpcError, match='"app" must name an app'):
        service.call(method, app=7)
    with pytest.raises(RpcError, match='unknown parameter "pool"; there is only "app"'):
        service.call(method, pool="web")
