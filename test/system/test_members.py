"""Workers that have joined: each is told of the others, of all pools, and the master links two that want to talk."""
import contextlib
import os
import signal

import pytest
from service import wait_for

REACH = 26


def ask_all(service, count):
    """What each of the workers knows, by slot; asked again until all have answered."""
    known = {}
    wait_for(lambda: known.update({found["slot"]: found for found in [service.get("/members")]}) or len(known) == count,
             "an answer of each worker")
    return known


def is_complete(known):
    """Does each know all others, and has each heard from them?"""
    slots = {str(found["incarnation"]): found["slot"] for found in known.values()}
    for found in known.values():
        others = {number: slot for number, slot in slots.items() if number != str(found["incarnation"])}
        if {number: slot for number, (slot, _) in found["members"].items()} != others:
            return False
        if any(found["said"].get(number) != f"slot {slot}" for number, slot in others.items()):
            return False
    return True


def test_workers_know_and_reach_each_other_and_their_successors(make_fake):
    service = make_fake(app={"joins": True}, workers=3)
    service.start_ready()
    wait_for(lambda: is_complete(ask_all(service, 3)), "three that know each other")
    before = {found["incarnation"] for found in ask_all(service, 3).values()}
    os.kill(service.workers()[1]["pid"], signal.SIGKILL)
    service.wait_workers(lambda rows: [row["restarts"] for row in rows if row["slot"] is not None] == [0, 1, 0], "a successor")
    wait_for(lambda: is_complete(ask_all(service, 3)), "three that know each other again")
    after = {found["incarnation"] for found in ask_all(service, 3).values()}
    assert len(before & after) == 2


def test_an_upgrade_in_place_knows_who_had_joined(make_fake):
    service = make_fake(app={"joins": True}, workers=2)
    service.start_ready()
    wait_for(lambda: is_complete(ask_all(service, 2)), "two that know each other")
    pids = {row["pid"] for row in service.workers() if row["slot"] is not None}
    service.call("upgrade")
    assert pids <= {row["pid"] for row in service.workers()}
    os.kill(service.workers()[1]["pid"], signal.SIGKILL)
    service.wait_workers(lambda rows: [row["restarts"] for row in rows if row["slot"] is not None] == [0, 1], "a successor")
    wait_for(lambda: is_complete(ask_all(service, 2)), "two that know each other again")


def test_a_worker_that_reaches_for_others_but_has_not_joined_breaks_the_contract(make_fake):
    service = make_fake()
    service.start_ready()
    with contextlib.suppress(OSError):  # it may be ended before it answers
        service.get(f"/say/{REACH}")
    service.wait_log("worker broke the protocol: wants to reach others, but has not joined them")
    service.wait_workers(lambda rows: rows[0]["state"] == "ready" and rows[0]["restarts"] == 1, "a successor")


def test_a_name_is_given_once_and_only_its_worker_gives_it_back(make_fake):
    service = make_fake(app={"joins": True})
    service.start_ready()
    number = service.get("/members")["incarnation"]
    service.get(f"/claim/7/0/{b'x'.hex()}")
    service.get(f"/claim/8/0/{b'x'.hex()}")
    service.get(f"/unclaim/8/{b'x'.hex()}")
    service.get(f"/unclaim/7/{b'y'.hex()}")
    service.get(f"/claim/9/0/{b'y'.hex()}")
    wanted = [["named", number, 7, "x"], ["taken", 8, 1, "x"], ["named", number, 9, "y"]]
    wait_for(lambda: service.get("/names") == wanted, "the answers")
    service.get(f"/unclaim/7/{b'x'.hex()}")
    wait_for(lambda: service.get("/names")[3:] == [["unnamed", number, 7, "x"]], "the answer")


@pytest.mark.parametrize("app, path, words", [
    ({}, "/claim/7/0/78", "wants to reach others, but has not joined them"),
    ({}, "/unclaim/7/78", "wants to reach others, but has not joined them"),
    ({"joins": True}, "/claim/7/0/780078", "claims what is no name"),
    ({"joins": True}, "/claim/7/0/00", "claims what is no name"),
    ({"joins": True}, "/claim/7/0/", "CLAIM has 16 bytes, not 17 to 271"),
    ({"joins": True}, "/claim/7/0/" + "78" * 256, "CLAIM has 272 bytes, not 17 to 271"),
])
def test_a_claim_that_cannot_be_breaks_the_contract(make_fake, app, path, words):
    service = make_fake(app=app)
    service.start_ready()
    with contextlib.suppress(OSError):
        service.get(path)
    service.wait_log(f"worker broke the protocol: {words}")
    service.wait_workers(lambda rows: rows[0]["state"] == "ready" and rows[0]["restarts"] == 1, "a successor")
