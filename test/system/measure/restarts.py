"""Rolling restarts under keep-alive load: how many requests fail.  Beside it `nginx -s reload`, when nginx is installed.
usage: restarts.py [TIMES]"""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from service import Load, Service, failures, wait_for  # noqa: E402

BODY = 1000

NGINX_CONF = """
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} reuseport; location / {{ return 200 "hello"; }} }}
}}
"""


def summarize(result, times, seconds):
    failed = failures(result)
    return {"ok": result["ok"], "failed": sum(failed.values()), "kinds": failed, "closed_idle": result["closed_idle"],
            "connects": result["connects"], "gap_ms": result["gap_ms"], "p99_us": result["latency_us"]["p99"],
            "max_us": result["latency_us"]["max"], "times": times, "seconds": seconds, "errors": result["errors"][:5]}


def restart(service):
    """One rolling restart, and the old workers gone: a slot has room for a few that leave, not for fifty."""
    told = service.ctl("reload", "--restart", timeout=120)
    assert told.returncode == 0, told.stderr
    service.wait_workers(lambda rows: len(rows) == 2, "the old workers to leave", 60)


def measure(times=50, connections=64, body=None):
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder, workers=2)
        try:
            service.write_conf()
            service.start_ready()
            load = service.load("/", connections=connections, body=body).wait_ready()
            began = time.monotonic()
            for _ in range(times):
                restart(service)
            seconds = time.monotonic() - began
            return summarize(load.stop().result(), times, seconds)
        finally:
            service.end()


def find_children(pid):
    return set(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())


def connects(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def reload_nginx(master):
    old = find_children(master.pid)
    master.send_signal(1)
    wait_for(lambda: len(find_children(master.pid) - old) == 2, "the new workers of nginx")
    wait_for(lambda: not find_children(master.pid) & old, "the old workers of nginx to leave", 60)


def measure_nginx(times=50, connections=64, body=None):
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        conf = pathlib.Path(folder) / "nginx.conf"
        conf.write_text(NGINX_CONF.format(folder=folder, port=port), encoding="ascii")
        with subprocess.Popen(["nginx", "-c", str(conf), "-e", f"{folder}/error.log"]) as master:
            try:
                wait_for(lambda: connects(port), "nginx to listen")
                load = Load(f"127.0.0.1:{port}", "/", connections=connections, body=body).wait_ready()
                began = time.monotonic()
                for _ in range(times):
                    reload_nginx(master)
                seconds = time.monotonic() - began
                return summarize(load.stop().result(), times, seconds)
            finally:
                master.terminate()


def main():
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    servers = {"fsd": measure}
    if shutil.which("nginx"):
        servers["nginx"] = measure_nginx
    print(f"{times} rolling restarts of two workers under keep-alive load")
    print(f"{'server':<7}{'conns':>6} {'kind':<5}{'ok':>9}{'failed':>8}{'closed_idle':>12}{'gap_ms':>9}{'max_ms':>9}{'s/restart':>10}")
    for connections in (64, 512):
        for body in (None, BODY):
            for name, run in servers.items():
                row = run(times, connections, body)
                print(f"{name:<7}{connections:>6} {'POST' if body else 'GET':<5}{row['ok']:>9}{row['failed']:>8}"
                      f"{row['closed_idle']:>12}{row['gap_ms']:>9.1f}{row['max_us'] / 1000:>9.1f}"
                      f"{row['seconds'] / times:>10.3f} {row['kinds'] or ''}", flush=True)


if __name__ == "__main__":
    main()
