"""Whatever is done with the code and to the workers: on one connection the generation never goes back, and what was never in place is never
seen.  The long run of the same is test/system/measure/changes.py."""
from code_app import draw_seed, serving
from code_changes import KINDS, run_changes

COUNT = 25


def test_on_a_connection_the_generation_never_goes_back(tmp_path):
    seed = draw_seed()
    with serving(tmp_path) as service:
        found = run_changes(service, COUNT, seed)
        print(found)
        assert found["violations"] == []
        assert found["answers"] > COUNT and sum(found.get(kind, 0) for kind in KINDS) == COUNT
