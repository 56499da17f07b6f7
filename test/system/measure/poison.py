"""Deploys that abort their worker at the first request: how long until the confirmed code serves again, without anybody's help.
usage: poison.py [TIMES]  (default 10)

A daemon of its own each, two workers and one in reserve, clients that ask without a pause.  Exits with 1 when the confirmed code was not
back within the probation time, or the daemon does not say why.

deaths     of workers, until the restart limit was reached; failed: requests in that time
back ms    from the end of the reload until the confirmed code has answered; calm ms: until all is as before"""
import contextlib
import http.client
import json
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from code_app import CodeService, read_reload  # noqa: E402

INTENSITY, PROBATION_S = 5, 60
POISON = 'os.execute("kill -ABRT " .. self.pid)'
COLUMNS = ("deaths", "failed", "back ms", "calm ms", "generation", "ok")


def ask(service):
    with contextlib.suppress(OSError, http.client.HTTPException, KeyError):
        headers = service.get("/").headers
        return headers["x-version"], int(headers["x-generation"])
    return None, None


def set_probation(service):
    path = service.folder / "fsd.yaml"
    conf = json.loads(path.read_text())
    conf["apps"]["shop"]["probation"] = f"{PROBATION_S}s"
    path.write_text(json.dumps(conf))


def measure():
    with tempfile.TemporaryDirectory() as folder:
        service = CodeService(folder, workers=2)
        try:
            service.write_conf(standby=1, intensity=INTENSITY)
            set_probation(service)
            service.start_ready()
            service.wait_calm()
            assert service.ctl("confirm").returncode == 0
            service.put(2, first=POISON)
            told = service.ctl("reload")
            assert told.returncode == 0, read_reload(service, told)
            began, failed, version = time.monotonic(), 0, None
            while version != "1" and time.monotonic() < began + 2 * PROBATION_S:
                version, generation = ask(service)
                failed += version != "1"
            back_ms = (time.monotonic() - began) * 1000
            calm = service.wait_calm(120)
            calm_ms = (time.monotonic() - began) * 1000
            status = service.status()
            why = status["apps"][0]["setback"]["why"]
            is_ok = version == "1" and generation == calm > 2 and back_ms < PROBATION_S * 1000 and bool(why)
            return {"deaths": service.log().count("worker died"), "failed": failed, "back ms": back_ms, "calm ms": calm_ms,
                    "generation": generation, "ok": is_ok}, why
        finally:
            service.end()


def main():
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rows = []
    print("".join(f"{name:>12}" for name in COLUMNS))
    for _ in range(times):
        row, why = measure()
        rows.append(row)
        print("".join(f"{value:>12.1f}" if isinstance(value, float) else f"{value!s:>12}" for value in row.values()), flush=True)
    print(f"median back {statistics.median(row['back ms'] for row in rows):.0f} ms, longest {max(row['back ms'] for row in rows):.0f} ms; "
          f"said: {why}")
    return not all(row["ok"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
