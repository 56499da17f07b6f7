"""What tests of older code share: which of it a daemon keeps, for what, and how new code gets there."""
import contextlib
import json
import pathlib

from fsd_process import wait_for


def set_probation(service, time):
    """In the configuration's file; every app gets it."""
    path = service.folder / "fsd.yaml"
    conf = json.loads(path.read_text())
    for app in conf["apps"].values():
        app["probation"] = time
    path.write_text(json.dumps(conf))


def app_of(service):
    return service.call("generations")["apps"][0]


def roles(service):
    """By number: what each generation is kept for."""
    words = ("candidate", "running", "confirmed", "previous")
    return {row["number"]: " ".join(word for word in words if row[word]) for row in app_of(service)["generations"]}


def deploy(service, version):
    """New code that says so."""
    service.set_version(version)
    result = service.ctl("reload")
    assert result.returncode == 0, result.stderr


def wait_event(service, event, **wanted):
    """The first record of it that has these values; needs a log in JSON."""
    def find():
        return [record for record in service.records() if record.get("event") == event
                and all(record.get(key) == value for key, value in wanted.items())]

    return wait_for(find, f"{event} with {wanted}", 120)[0]


def count_bundles(service):
    """How many descriptors of code the master has."""
    count = 0
    for path in pathlib.Path(f"/proc/{service.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += "fsd-bundle" in str(path.readlink())
    return count
