"""Erlang beside fsd, where it is installed (Debian: erlang-base): a module of ours, run in a VM of its own."""
import os
import pathlib
import shutil
import subprocess
import tempfile

NAME = "Erlang"


def is_installed():
    return shutil.which("erlc") is not None


def environment(folder):
    """Nothing of the user's is read: it looks for its cookie in HOME."""
    return {**os.environ, "HOME": str(folder)}


def compile_module(source, folder):
    subprocess.run(["erlc", "-o", folder, source], check=True)


def read_numbers(text):
    """Lines of "name value"."""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines()}


def run(source, schedulers, function="main"):
    """Numbers by name; none when Erlang is not installed."""
    if not is_installed():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        compile_module(source, folder)
        module = pathlib.Path(source).stem
        done = subprocess.run(
            ["erl", "+S", f"{schedulers}:{schedulers}", "-noshell", "-pa", folder, "-s", module, function],
            check=True, capture_output=True, text=True, env=environment(folder))
        return read_numbers(done.stdout)
