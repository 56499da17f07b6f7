"""Messages {"get", 42, "key"} between actors of two workers; beside them Erlang, between two processes on two schedulers of one VM, which
copies in memory, and between two nodes of this machine, which is what crosses processes there."""
import erlang
from report import Row
from start import HERE, started, wait_for

SUBJECT = 'between two workers, {"get", 42, "key"}'
SOURCE = HERE / "between/messages.erl"

LINES = (
    ("oneway per_second", "one way", "msg/s", ">= 2,500,000", ">= 8 x"),
    ("roundtrip us", "there and back", "us", "<= 60", ""),
)


def measure_ours():
    with started("between", workers=2) as process:
        wait_for(lambda: process.ask("/places")["count"] == 2, "both workers to know each other")
        return {f"{what} {name}": value for what in ("oneway", "roundtrip") for name, value in process.ask("/" + what).items()}


def measure(rounds):
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(measure_ours())
        theirs.append({**erlang.run(SOURCE, 2, "local"), **erlang.run_nodes(SOURCE, "remote")})
    for key, name, unit, wanted, wanted_remote in LINES:
        values = [found[key] for found in ours]
        peers = (("local", f"{erlang.NAME}, 2 schedulers", wanted), ("remote", f"{erlang.NAME}, 2 nodes", wanted_remote))
        for prefix, peer_name, wish in peers:
            peer = [found[f"{prefix} {key}"] for found in theirs if f"{prefix} {key}" in found]
            yield Row(SUBJECT, name, unit, values, peer, peer_name if peer else "", wish)
