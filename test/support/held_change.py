"""A change of code that stands still at a point that a test has chosen: each worker says when it checks the new code, and waits there
until it is let on."""
import os
import signal
import subprocess

from code_app import CodeService, read_reload
from fsd_process import BUILD, is_alive, wait_for

# in each worker, which is named by its pid
CHECK = """app:on_check(function()
  local pid = fsd.worker.self().pid
  io.open("{folder}/in-" .. pid, "w"):close()
  while not io.open("{folder}/go-" .. pid) and not io.open("{folder}/go") do fsd.task.sleep(0.005) end
end)"""
# The bundler stops itself when it is asked to, before it has read anything.
PROGRAM = """#!/bin/sh
if [ "$1" = --tool ] && [ -e {folder}/stop ]; then
  echo $$ > {folder}/bundler.part && mv {folder}/bundler.part {folder}/bundler
  kill -STOP $$
fi
exec {program} "$@"
"""


class HeldService(CodeService):
    """With a bundler that can be held, too."""

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self.gates = folder / "gates"
        self.gates.mkdir()
        program = folder / "worker.sh"
        program.write_text(PROGRAM.format(folder=self.gates, program=BUILD / "fsd-worker"))
        program.chmod(0o755)
        self.worker_path = str(program)

    def put_held(self, version):
        for path in self.gates.iterdir():
            path.unlink()
        self.put(version, CHECK.format(folder=self.gates))

    def begin(self, *words):
        command = [str(BUILD / "fsdctl"), "reload", *words, "-s", self.control_path]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def checking(self):
        """The workers that stand in their check, or have been there."""
        return {int(path.name[3:]) for path in self.gates.glob("in-*")}

    def let(self, pid):
        (self.gates / f"go-{pid}").write_text("")

    def let_all(self):
        (self.gates / "go").write_text("")

    def wait_next(self, before):
        """The next worker that checks."""
        return wait_for(lambda: self.checking() - before, "a worker that checks the code", 60).pop()

    def prepare_but_last(self):
        """All have prepared but one, which is held: returns (those, the held one)."""
        everybody, ready = {row["pid"] for row in self.workers()}, set()
        held = self.wait_next(ready)
        while everybody - ready != {held}:
            self.let(held)
            ready.add(held)
            held = self.wait_next(ready)
        return ready, held

    def hold_bundler(self):
        (self.gates / "stop").write_text("")

    def wait_bundler(self):
        """Its pid, when it has stopped."""
        path = self.gates / "bundler"
        wait_for(path.exists, "the bundler", 60)
        pid = int(path.read_text())
        wait_for(lambda: "(worker.sh) T" in open(f"/proc/{pid}/stat", encoding="ascii").read(), "the bundler to stand", 60)
        return pid

    def finish(self, process, version, old_version="1", old_generation=1):
        """The reload is over: what it said is so, in every worker.  True: the new code is in place."""
        stdout, stderr = process.communicate(timeout=120)
        told = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
        assert told.returncode in (0, 1), read_reload(self, told)
        generation = self.wait_calm(120)
        answer = self.get("/")
        if told.returncode == 0:
            assert answer.headers["x-version"] == str(version) and generation > old_generation, read_reload(self, told)
        else:
            assert answer.headers["x-version"] == old_version and generation == old_generation, read_reload(self, told)
            assert stderr.strip(), "a reason"
        return told


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), "it to be dead", 60)
