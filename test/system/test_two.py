"""Two daemons that want the same thing: one gets it, the other says so and harms nothing."""
import socket

import pytest


@pytest.mark.basic
def test_a_second_daemon_on_a_live_control_socket_is_refused_in_one_line(make_service):
    first = make_service().start_ready()
    second = make_service()
    second.control_path = first.control_path
    assert second.start().wait_exit() == 71
    told = [line for line in second.log().splitlines() if " error   " in line]
    assert len(told) == 1 and first.control_path in told[0]
    assert "worker is started" not in second.log() and second.out() == ""
    assert first.ctl("status").returncode == 0
    assert first.get("/").text == "hello"


@pytest.mark.basic
def test_a_second_daemon_on_the_same_port_is_refused_in_one_line(make_service):
    first = make_service(workers=2)
    first.write_conf()
    first.start_ready()
    second = make_service(workers=2)
    second.write_conf(listen=first.address())
    assert second.start().wait_exit() == 71
    told = [line for line in second.log().splitlines() if " error   " in line]
    assert len(told) == 1 and f'cannot bind "{first.address()}": Address already in use' in told[0]
    assert {first.get("/").text for _ in range(10)} == {"hello"}


def test_the_port_of_a_daemon_whose_worker_is_dead_is_still_its_own(make_service):
    first = make_service(workers=1)
    first.write_conf()
    first.start_ready()
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        host, _, port = first.address().rpartition(":")
        with pytest.raises(OSError, match="Address already in use"):
            thief.bind((host, int(port)))


def test_two_daemons_of_their_own_do_not_disturb_each_other(make_service):
    both = [make_service(workers=2) for _ in range(2)]
    for one in both:
        one.write_conf()
        one.start_ready()
    load = both[1].load("/", connections=8).wait_ready()
    assert both[0].ctl("reload", "--restart").returncode == 0
    assert both[0].ctl("stop").returncode == 0
    result = load.stop().result()
    assert result["connects"] == 8 and result["lost"] == 0
    assert both[1].status()["pools"][0]["generation"] == 1


def test_the_end_of_a_refused_daemon_leaves_the_socket_of_the_first_one(make_service):
    first = make_service().start_ready()
    for _ in range(3):
        second = make_service()
        second.control_path = first.control_path
        assert second.start().wait_exit() == 71
    assert first.ctl("stop").returncode == 0
