"""An fsd with one of the benchmarks' applications, as the system tests start one."""
import contextlib
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "test/support"))
from app_process import AppProcess  # noqa: E402
from fsd_process import BUILD, wait_for  # noqa: E402,F401  (for the subjects)


class Bench(AppProcess):
    def ask(self, path):
        """What a measurement answered."""
        answer = self.get(path)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.text}")
        return json.loads(answer.body)


@contextlib.contextmanager
def started(subject, workers=1, worker=None, app=None, **pool):
    """With bench/SUBJECT/app.lua, or another application; a worker other than the one that was built may be named."""
    limits = {"request_timeout": "300s", "cpu": "300s", **pool.pop("limits", {})}
    with tempfile.TemporaryDirectory() as folder:
        process = Bench(pathlib.Path(folder), app or HERE / subject / "app.lua", workers)
        process.worker_path = str(worker or BUILD / "fsd-worker")
        process.write_conf(limits=limits, **pool)
        try:
            yield process.start_ready()
        finally:
            process.stop()
            process.kill()
