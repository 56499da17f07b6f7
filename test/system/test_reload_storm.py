"""Reloads beside everything else that changes a service: nothing hangs, and the exit codes are the truth.  The long run of the same is
test/system/measure/reload_storm.py."""
import pytest
from code_app import draw_seed, serving
from reload_storm import run_reload_storm

PLANS = {
    "reloads alone": {"reload": (6, 4)},
    "reloads and kills": {"reload": (3, 4), "kill": (1, 6)},
    "reloads and upgrades": {"reload": (2, 5), "upgrade": (1, 3)},
    "all": {"reload": (2, 4), "apply": (1, 3), "scale": (1, 3), "upgrade": (1, 2), "rollback": (1, 3), "confirm": (1, 3), "kill": (1, 5)},
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_all_commands_end_and_say_what_is_so(tmp_path, plan):
    seed = draw_seed()
    with serving(tmp_path) as service:
        found = run_reload_storm(service, seed, plan)
        print(found)
        assert found["problems"] == []
        if set(plan) == {"reload"}:
            assert found["reload 0"] == 25
