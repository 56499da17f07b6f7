"""What uploads cost a worker's memory while they wait, and what is left of them.
usage: uploads.py [UPLOADS [MIB]]  (default 50 8)

So many bodies of so many MiB are sent at once and held by their handlers; then they are let go.  Anonymous memory is the worker's own;
mapped files are those that bodies are kept in, which the kernel writes out when it needs the room."""
import pathlib
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from app_process import AppProcess  # noqa: E402
from fsd_process import wait_for  # noqa: E402

APP = '''
local fsd = require "fsd"
local app = fsd.app()
local held, go = 0, false
app:post("/hold", function(req)
  held = held + 1
  while not go do fsd.task.sleep(0.05) end
  held = held - 1
  return 204
end)
app:get("/held", function() return { held } end)
app:get("/go", function() go = true return 204 end)
return app
'''


def memory_of(pid):
    """(anonymous, mapped files) in MiB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return tuple(int(values[name]) / 1024 for name in ("RssAnon", "RssFile")), int(values["RssShmem"]) / 1024


def show(what, pid):
    (anonymous, files), shared = memory_of(pid)
    print(f"{what:24} {anonymous:8.1f} MiB anonymous {files + shared:8.1f} MiB of mapped files", flush=True)


def main():
    uploads = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    body = b"x" * (int(sys.argv[2]) if len(sys.argv) > 2 else 8) * 1024 * 1024
    with tempfile.TemporaryDirectory() as folder:
        app = AppProcess(pathlib.Path(folder), APP)
        app.write_conf(limits={"body": f"{len(body)}", "request_timeout": "120s"})
        app.start_ready()
        try:
            pid = app.workers()[0]["pid"]
            show("before", pid)
            threads = [threading.Thread(target=app.request, args=("POST", "/hold", body)) for _ in range(uploads)]
            for thread in threads:
                thread.start()
            wait_for(lambda: app.get("/held").json() == [uploads], "all bodies to be there", 120)
            show(f"{uploads} of {len(body) / 1024 / 1024:.0f} MiB are held", pid)
            app.get("/go")
            for thread in threads:
                thread.join()
            wait_for(lambda: app.get("/held").json() == [0], "all to be over", 60)
            show("after", pid)
        finally:
            app.kill()


main()
