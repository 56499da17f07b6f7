"""A Debian with systemd in a folder, to be booted by systemd-nspawn: one real boot takes a second.

The folder is made once for a set of packages, below build/nspawn; each boot gets an overlay of it, which is thrown away.  The
packages come from where this machine has its own from, since the programs under test are linked against those."""
import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from fsd_process import ROOT

FOLDER = ROOT / "build/nspawn"
PACKAGES = ["systemd", "systemd-sysv", "dbus", "libnss-systemd", "procps", "python3", "util-linux"]
BUILD_SECONDS = 400
LIBRARIES_OF = ["fsd", "fsd-worker", "fsdctl"]


class CannotRun(Exception):
    """This machine can't do it; the text says why."""


def run(*command, seconds=60):
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds)


def need(program):
    if shutil.which(program) is None:
        raise CannotRun(f"{program} is not installed (scripts/packages test)")


def find_libraries(build):
    """The packages of the shared libraries of the programs."""
    words = [word for name in LIBRARIES_OF for word in run("ldd", build / name).stdout.split()]
    files = sorted({os.path.realpath(word) for word in words if word.startswith("/")})
    rows = run("dpkg", "-S", *files).stdout.splitlines()
    found = {row.split(":")[0] for row in rows if ": /" in row}
    if "libsystemd0" not in found:
        raise CannotRun("cannot tell which packages the programs need")
    return sorted(found)


def find_sources():
    """Where apt on this machine gets Debian from, as lines of a sources.list."""
    done = run("apt-get", "indextargets", "--format", "$(ORIGIN) deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
               "Created-By: Packages")
    rows = [row.split(" ", 1) for row in done.stdout.splitlines() if " deb " in row]
    return sorted({line for origin, line in rows if origin == "Debian" and line.endswith(" main")})


def find_release():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        name, _, value = line.partition("=")
        if name == "VERSION_CODENAME":
            return value.strip('"')
    raise CannotRun("this is no Debian with a name")


def make_root(build):
    """The path of the folder; made when it is not there yet."""
    if os.geteuid() != 0:
        raise CannotRun("only root can boot a system")
    need("systemd-nspawn")
    release, packages = find_release(), sorted(set(PACKAGES + find_libraries(build)))
    word = hashlib.sha256(" ".join([release, *packages]).encode()).hexdigest()[:16]
    root = FOLDER / word
    if root.is_dir():
        return root
    need("mmdebstrap")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as place:
        sources = pathlib.Path(place) / "sources.list"
        sources.write_text("".join(line + "\n" for line in find_sources()))
        mirrors = [sources] if sources.read_text() else []
        try:
            done = run("mmdebstrap", "--variant=minbase", "--include=" + ",".join(packages), release,
                       pathlib.Path(place) / "root", *mirrors, seconds=BUILD_SECONDS)
        except subprocess.TimeoutExpired:
            raise CannotRun(f"mmdebstrap was not done after {BUILD_SECONDS} s") from None
        if done.returncode != 0:
            raise CannotRun("mmdebstrap failed, perhaps without a network: " + " | ".join(done.stdout.splitlines()[-3:]))
        with contextlib.suppress(FileExistsError, OSError):  # another run was quicker
            os.rename(pathlib.Path(place) / "root", root)
    return root


class Machine:
    """One that can be changed and booted; the folder it was made of stays as it is."""

    def __init__(self, root, place):
        self.folder = pathlib.Path(place)
        self.path = self.folder / "root"
        for name in ("root", "upper", "work"):
            (self.folder / name).mkdir()
        options = f"lowerdir={root},upperdir={self.folder}/upper,workdir={self.folder}/work"
        done = run("mount", "-t", "overlay", "overlay", "-o", options, self.path)
        if done.returncode != 0:
            raise CannotRun(f"cannot mount an overlay: {done.stdout.strip()}")
        done = run("systemd-nspawn", "-q", "-D", self.path, "--register=no", "--keep-unit", "--private-network",
                   "--pipe", "/bin/true")
        if done.returncode != 0:
            self.close()
            raise CannotRun(f"systemd-nspawn can't start here: {done.stdout.strip()}")

    def close(self):
        run("umount", "-l", self.path)

    def boot(self, seconds):
        """Until it has powered itself off; what it wrote to its console."""
        command = ["systemd-nspawn", "-q", "-D", self.path, "--boot", "--private-network", "--register=no",
                   "--keep-unit", "--console=pipe"]
        environment = dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=environment)
        try:
            return process.communicate(timeout=seconds)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.terminate()  # the machine powers off
            try:
                return process.communicate(timeout=30)[0].decode(errors="replace") + "\n(was not done in time)"
            except subprocess.TimeoutExpired:
                process.kill()
                return "(was not done in time, and could not be stopped)"


@contextlib.contextmanager
def machine(build, place):
    one = Machine(make_root(build), place)
    try:
        yield one
    finally:
        one.close()
