"""Whatever is done with the code and to the workers: on one connection the generation never goes back, and what was never in place is never
seen.  The long run of the same is test/system/measure/changes.py."""
import os
import random

from code_app import CodeService
from code_changes import KINDS, run_changes

COUNT = 25


def test_on_a_connection_the_generation_never_goes_back(tmp_path):
    seed = int(os.environ.get("FSD_SEED", random.randrange(1 << 31)))
    print(f"FSD_SEED={seed}")
    service = CodeService(tmp_path, workers=2)
    try:
        service.write_conf(standby=1)
        service.start_ready()
        found = run_changes(service, COUNT, seed)
        print(found)
        assert found["violations"] == []
        assert found["answers"] > COUNT and sum(found.get(kind, 0) for kind in KINDS) == COUNT
    finally:
        service.end()
