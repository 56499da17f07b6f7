"""Erlang beside fsd, where it is installed (Debian: erlang-base): a module of ours, run in a VM of its own, or in two nodes."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

NAME = "Erlang"


def is_installed():
    return shutil.which("erlc") is not None


def environment(folder, **more):
    """Nothing of the user's is read: it looks for its cookie in HOME."""
    return {**os.environ, "HOME": str(folder), **more}


def compile_module(source, folder):
    subprocess.run(["erlc", "-o", folder, source], check=True)


def command(folder, schedulers, *words):
    return ["erl", "+S", f"{schedulers}:{schedulers}", "-noshell", "-pa", str(folder), *words]


def read_numbers(words, environ):
    """What it prints are lines of "name value"."""
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=environ, timeout=300)
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in done.stdout.splitlines()}


def run(source, schedulers, function="main"):
    """Numbers by name; none when Erlang is not installed."""
    if not is_installed():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        compile_module(source, folder)
        words = command(folder, schedulers, "-s", pathlib.Path(source).stem, function)
        return read_numbers(words, environment(folder))


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def process(words, environ):
    """Runs beside us until the end of the block, when it is killed."""
    running = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environ)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def wait_for_node(environ):
    end = time.monotonic() + 20
    while "name other " not in subprocess.run(["epmd", "-names"], env=environ, capture_output=True, text=True).stdout:
        if time.monotonic() > end:
            raise RuntimeError("the other Erlang node has not started")
        time.sleep(0.05)


def run_nodes(source, function):
    """Two nodes on the loopback interface, each with one scheduler, a port mapper and a cookie of their own.  The function runs in
    one of them and gets the other one's name."""
    if not is_installed():
        return {}
    port = str(free_port())
    with tempfile.TemporaryDirectory() as folder:
        compile_module(source, folder)
        environ = environment(folder, ERL_EPMD_PORT=port, ERL_EPMD_ADDRESS="127.0.0.1")
        local = ["-setcookie", "of_this_run", "-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"]
        with process(["epmd", "-port", port, "-address", "127.0.0.1"], environ), \
                process(command(folder, 1, "-name", "other@127.0.0.1", *local), environ):
            wait_for_node(environ)
            words = command(folder, 1, "-name", "one@127.0.0.1", *local, "-s", pathlib.Path(source).stem, function,
                            "other@127.0.0.1")
            return read_numbers(words, environ)
