"""Dictionaries that several workers share: through deaths, reloads, changes of configuration and upgrades."""
import concurrent.futures
import contextlib
import fcntl
import os
import pathlib
import signal
import time

import pytest
from deploying import apply, changes, edited, pids
from fsd_process import RpcError
from service import wait_for

APP = '''
local fsd = require "fsd"
if fsd.config.settings.colour == "blue" then error "boom" end
local app = fsd.app()
local at_load = fsd.try(fsd.shared, "cache")
app:get("/", function() return { pid = fsd.worker.self().pid } end)
app:get("/incr/:name/:key", function(req)
  return { n = (fsd.shared(req.params.name):incr(req.params.key, 1, 0)), pid = fsd.worker.self().pid }
end)
app:get("/get/:name/:key", function(req)
  local value, err = fsd.try(function() return fsd.shared(req.params.name):get(req.params.key) end)
  return { value = value, code = err and err.code }
end)
app:get("/old", function()
  local value, err = fsd.try(at_load.get, at_load, "n")
  return { value = value, code = err and err.code }
end)
app:get("/hammer", function()
  local d, n = fsd.shared("cache"), 0
  local text = ("x"):rep(500)
  while true do
    n = n + 1
    d:incr("counter:" .. n % 50, 1, 0)
    d:set("text:" .. n % 50, text:sub(1, n % 500))
    if n % 1000 == 0 then fsd.task.sleep(0) end
  end
end)
app:get("/check", function()
  local d, wrong = fsd.shared("cache"), 0
  for i = 0, 49 do
    local n, text = d:get("counter:" .. i), d:get("text:" .. i)
    if n and (math.type(n) ~= "integer" or n < 1) then wrong = wrong + 1 end
    if text and text ~= ("x"):rep(#text) then wrong = wrong + 1 end
  end
  return { wrong = wrong, resets = d:info().resets }
end)
app:get("/version", function() return { version = "one" } end)
return app
'''


@pytest.fixture
def service(make_service):
    def start(workers=2, size="4MiB", **pool):
        one = make_service(APP, workers)
        one.write_conf(**pool)
        with edited(one) as conf:
            conf["shared"] = {"cache": {"size": size}}
        return one.start_ready()

    return start


def incr(service, key="n", name="cache"):
    return service.get(f"/incr/{name}/{key}").json()


def value(service, key="n", name="cache"):
    return service.get(f"/get/{name}/{key}").json()


@pytest.mark.basic
def test_two_workers_count_together(service):
    one = service()
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: incr(one), range(200)))
    assert len({answer["pid"] for answer in answers}) == 2
    assert sorted(answer["n"] for answer in answers) == list(range(1, 201))


def test_the_master_never_maps_the_memory(service):
    one = service()
    assert incr(one)["n"] == 1
    mapped = {pid: "fsd-shared" in pathlib.Path(f"/proc/{pid}/maps").read_text() for pid in (one.process.pid, *pids(one))}
    assert mapped.pop(one.process.pid) is False
    assert all(mapped.values())


def test_values_outlive_the_workers(service):
    one = service()
    incr(one)
    for row in one.workers("ready"):
        one.kill_worker(row)
    assert incr(one)["n"] == 2
    one.edit_app('"one"', '"two"')
    one.call("reload", restart=True)
    assert one.get("/version").json() == {"version": "two"}
    assert incr(one)["n"] == 3


def test_values_outlive_an_upgrade_in_place(service):
    one = service()
    incr(one)
    before = pids(one)
    one.call("upgrade")
    assert pids(one) == before
    assert incr(one)["n"] == 2
    for row in one.workers("ready"):
        one.kill_worker(row)  # their successors get the memory from the new program
    assert incr(one)["n"] == 3
    one.call("upgrade")
    assert incr(one)["n"] == 4


def count_wrong(service):
    """On a loaded machine somebody may stand still with a lock for longer than others wait for it: they are told so."""
    answer = wait_for(lambda: (found := service.get("/check")).status != 503 and found, "a check")
    assert answer.status == 200, answer.text
    return answer.json()["wrong"]


def test_workers_that_are_killed_while_they_write_harm_nobody(service):
    one = service(workers=3)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for number in range(6):
            for _ in range(3):
                threads.submit(one.get_broken, "/hammer")
            time.sleep(0.01 * number)  # at any moment: what follows holds for all of them
            one.kill_worker(one.slot(number % 3))
            assert count_wrong(one) == 0
        for row in one.workers("ready"):
            one.kill_worker(row)  # which ends the last requests
    assert count_wrong(one) == 0
    assert "damaged" not in one.log()


def test_a_new_dictionary_comes_to_workers_that_run(service):
    one = service()
    before = pids(one)
    assert value(one, name="late")["code"] == "shared.unknown"
    with edited(one) as conf:
        conf["shared"]["late"] = {"size": "64KiB"}
    assert changes(apply(one)) == [("open", "shared late")]
    assert pids(one) == before
    for expected in range(1, 10):
        assert incr(one, name="late")["n"] == expected
    incr(one)
    assert value(one) == {"value": 1}  # the other one was not touched


def test_another_size_is_another_memory(service):
    one = service()
    before = pids(one)
    for _ in range(5):
        incr(one)
    with edited(one) as conf:
        conf["shared"]["cache"]["size"] = "8MiB"
    assert changes(apply(one)) == [("replace", "shared cache")]
    assert pids(one) == before
    assert sorted(incr(one)["n"] for _ in range(20)) == list(range(1, 21))
    assert one.get("/old").json() == {"value": 20}  # a handle of before leads to it
    assert one.call("config.rollback")["to"] == 3
    assert incr(one)["n"] == 1


def targets(pid):
    """What the descriptors of a process are; some may go meanwhile."""
    found = []
    for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(path))
    return found


def test_a_dictionary_that_is_gone_says_so(service):
    one = service()
    incr(one)
    with edited(one) as conf:
        del conf["shared"]
    assert changes(apply(one)) == [("close", "shared cache")]
    assert one.get("/old").json() == {"code": "shared.gone"}
    # the master keeps it until the last process that knew of it has gone
    wait_for(lambda: not any("fsd-shared" in target for target in targets(one.process.pid)), "the master to close the memory")


def test_a_change_that_fails_leaves_all_as_it_was(service):
    one = service()
    incr(one)
    with edited(one) as conf:
        conf["shared"] = {"cache": {"size": "8MiB"}, "more": {}}
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    with pytest.raises(RpcError):
        one.call("config.apply")
    assert incr(one)["n"] == 2
    assert value(one, name="more")["code"] == "shared.unknown"


def test_a_new_pool_has_what_the_others_have(service):
    one = service()
    incr(one)
    with edited(one) as conf:
        conf["listeners"]["other"] = {"listen": "127.0.0.1:0"}
        conf["pools"]["other"] = {"app": "shop", "listeners": ["other"], "count": 1, "standby": 0}
    apply(one)
    address = next(row["address"] for row in one.status()["listeners"] if row["name"] == "other")
    one.known_address = address
    assert incr(one)["n"] == 2


def test_fsd_run_makes_what_it_is_told(make_service):
    one = make_service(APP, 2)
    one.start_ready(["--shared", "cache,late=64KiB"])
    assert [incr(one)["n"] for _ in range(10)] == list(range(1, 11))
    assert incr(one, name="late")["n"] == 1
    one.call("upgrade")
    assert incr(one)["n"] == 11


@pytest.mark.parametrize("shared, words", [("", '"" is no name'), ("a,a", '"a" is there twice'),
                                           ("a=1K", 'a must be a size between 64KiB and 64GiB, got "1K"')])
def test_fsd_run_explains_a_list_that_is_wrong(make_service, shared, words):
    one = make_service(APP)
    one.start(["--shared", shared])
    assert one.wait_exit() == 78
    assert words in one.log()


def test_what_a_worker_is_handed_is_sealed_and_the_same_for_all(make_fake):
    fsd = make_fake(workers=2)
    fsd.write_conf()
    with edited(fsd) as conf:
        conf["shared"] = {"a": {"size": "64KiB"}, "b": {}}
    fsd.start_ready()
    answers = [fsd.get("/shared") for _ in range(6)]
    assert {name: (row["size"], row["bytes"]) for name, row in answers[0].items()} == {"a": (65536, 65536), "b": (16 << 20, 16 << 20)}
    assert {row["seals"] for row in answers[0].values()} == {fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW}
    assert len({row["seed"] for row in answers[0].values()}) == 2
    assert all(answer == answers[0] for answer in answers)


def test_who_boots_while_the_configuration_changes_has_the_new_one(make_fake):
    fsd = make_fake(workers=1)
    fsd.write_conf()
    fsd.start_ready()
    assert fsd.get("/shared") == {}
    with edited(fsd) as conf:
        conf["shared"] = {"a": {}}
        conf["pools"]["web"]["count"] = 3
    apply(fsd)
    wait_for(lambda: len(fsd.workers("ready")) == 3, "three workers")
    seen = {(answer["a"]["inode"], answer["a"]["seed"]) for answer in (fsd.get("/shared") for _ in range(30))}
    assert len(seen) == 1
