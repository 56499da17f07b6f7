"""What the methods of the control socket say to parameters that they do not know, or that make no sense."""
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fsd_process import FsdProcess, RpcError  # noqa: E402

BAD_PARAMS = -32602
WITHOUT_PARAMETERS = ("status", "logs.reopen", "drain", "resume", "config.check", "config.plan", "config.apply", "config.diff",
                      "config.history", "upgrade")
WRONG = [
    ("reload", {"wait": 1}, '"wait" must be true or false'),
    ("reload", {"restart": True, "wait": None}, '"wait" must be true or false'),
    ("reload", {"restrat": True}, 'unknown parameter "restrat"'),
    ("reload", {"restart": 1}, '"restart" must be true or false'),
    ("stop", {"now": "yes"}, '"now" must be true or false'),
    ("stop", {"nwo": True}, 'unknown parameter "nwo"; there is only "now"'),
    ("restart", {}, '"pool" must name a pool'),
    ("restart", {"pool": 7}, '"pool" must name a pool'),
    ("restart", {"pool": "nope"}, 'there is no pool "nope"'),
    ("restart", {"pol": "web"}, 'unknown parameter "pol"; there is only "pool"'),
    ("scale", {"count": 2}, '"pool" must name a pool'),
    ("scale", {"pool": "web", "cuont": 2}, 'unknown parameter "cuont"'),
    ("scale", {"pool": "web"}, '"count" must be a whole number from 1 to '),
    ("scale", {"pool": "web", "count": 0}, '"count" must be a whole number from 1 to '),
    ("scale", {"pool": "web", "count": 1.5}, '"count" must be a whole number from 1 to '),
    ("wait", {}, '"for" must be "ready", "drained", "config" or "confirmed"'),
    ("wait", {"for": "godot"}, '"for" must be "ready", "drained", "config" or "confirmed"'),
    ("wait", {"for": "ready", "until": 1}, 'unknown parameter "until"'),
    ("wait", {"for": "config"}, '"number" must be a whole number from 1 to '),
    ("wait", {"for": "config", "number": 0}, '"number" must be a whole number from 1 to '),
    ("config.rollback", {"to": "1"}, '"to" must be a whole number from 1 to '),
    ("config.rollback", {"too": 1}, 'unknown parameter "too"; there is only "to"'),
    ("config.show", {"origin": "yes"}, '"origin" must be true or false'),
    ("crashes", {"di": "x"}, 'unknown parameter "di"; there is only "id"'),
    ("crashes", {"id": 7}, '"id" must be the id of a report'),
    ("logs", {"pool": "nope"}, 'there is no pool "nope"'),
]


@pytest.fixture(scope="module")
def fsd(tmp_path_factory):
    daemon = FsdProcess(tmp_path_factory.mktemp("methods"))
    daemon.write_conf()
    daemon.start_ready()
    yield daemon
    daemon.kill()


@pytest.mark.parametrize("method", WITHOUT_PARAMETERS)
def test_a_method_without_parameters_refuses_any(fsd, method):
    with pytest.raises(RpcError) as caught:
        fsd.call(method, harmless=True)
    assert (caught.value.code, caught.value.message) == (BAD_PARAMS, 'unknown parameter "harmless"')


@pytest.mark.parametrize("method, params, message", WRONG)
def test_what_makes_no_sense_is_explained_and_nothing_is_done(fsd, method, params, message):
    before = fsd.status()
    with pytest.raises(RpcError) as caught:
        fsd.call(method, **params)
    assert message in caught.value.message
    after = fsd.status()
    assert [row["pid"] for row in after["pools"][0]["workers"]] == [row["pid"] for row in before["pools"][0]["workers"]]
    assert after["config"]["number"] == before["config"]["number"]


def test_orders_for_workers_are_refused_until_there_are_some(tmp_path):
    daemon = FsdProcess(tmp_path, app={"compile": "hang"})
    daemon.write_conf()
    daemon.start()
    try:
        daemon.wait_status(lambda status: True, "an answer")
        for method in ("drain", "resume", "reload", "config.apply"):
            with pytest.raises(RpcError, match="the daemon is still loading its code"):
                daemon.call(method)
    finally:
        daemon.kill()


def test_orders_for_workers_are_refused_while_they_leave(tmp_path):
    daemon = FsdProcess(tmp_path, app={"drain": "hang"})
    daemon.write_conf()
    daemon.start_ready()
    try:
        with daemon.open_control() as waits:
            daemon.send_call(waits, "wait", **{"for": "config", "number": 999})
            daemon.signal(signal.SIGTERM)
            daemon.wait_status(lambda status: status["state"] == "stopping", "the daemon to stop")
            for method in ("drain", "resume", "reload", "config.apply"):
                with pytest.raises(RpcError, match="the daemon is stopping"):
                    daemon.call(method)
            with pytest.raises(RpcError, match="the daemon is stopping"):
                daemon.read_answer(waits)
    finally:
        daemon.kill()
