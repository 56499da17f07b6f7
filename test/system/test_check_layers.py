"""scripts/check-layers finds what it is for: a small tree that keeps the rules, and one planted violation a test."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/check-layers"

# The smallest tree with a file of every kind; it keeps all rules.
TREE = {
    "common/err.h": "int err_set(void);\n",
    "common/err.c": '/* err.c - errors.  Pure. */\n#include "common/err.h"\n\n#include <errno.h>\n',
    "daemon/slot.h": "int slot_step(void);\n",
    "daemon/slot.c": '/* slot.c - a slot.\n * Pure: no clock. */\n#include "daemon/slot.h"\n\n#include "common/err.h"\n',
    "daemon/proc/spawn.c": '/* spawn.c - not pure. */\n#include <systemd/sd-event.h>\n#include <unistd.h>\n',
    "ctl/main.c": '/* main.c - rows. */\n#include <jansson.h>\n\n#include "common/err.h"\n',
    "worker/main.c": '/* main.c - start. */\n#include "worker/modules.h"\n#include "worker/http/server.h"\n',
    "worker/modules.h": "int modules_register(void);\n",
    "worker/modules.c": '/* modules.c - rows. */\n#include "worker/modules.h"\n\n#include "worker/lib/mod_json.h"\n',
    "worker/core/loop.h": "int loop_run(void);\n",
    "worker/core/loop.c": '/* loop.c - the loop. */\n#include "worker/core/loop.h"\n\n#include <h2o.h>\n',
    "worker/http/server.h": "int server_new(void);\n",
    "worker/http/server.c": '/* server.c - HTTP. */\n#include "worker/http/server.h"\n\n#include "worker/core/loop.h"\n',
    "worker/lib/mod_json.h": "int mod_json_open(void);\n",
    "worker/lib/mod_json.c": '/* mod_json.c - JSON. */\n#include "worker/lib/mod_json.h"\n\n#include <lua.h>\n',
    "Makefile": "INC_common :=\nLIB_common :=\nLIB_daemon := $(shell pkg-config --libs libsystemd jansson yaml-0.1)\n",
}


@pytest.fixture
def tree(tmp_path):
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def check(tree, *checks):
    """The exit code, and the lines of the report."""
    done = subprocess.run([SCRIPT, "--root", tree, *checks], stdout=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stdout.splitlines()


def plant(tree, name, line):
    """Adds a line at the end of a file and returns the place that must be reported."""
    path = tree / name
    text = path.read_text() if path.exists() else "/* planted. */\n"
    path.write_text(text + line + "\n")
    return f"{name}:{text.count(chr(10)) + 1}: "


def test_a_tree_that_keeps_the_rules_passes(tree):
    assert check(tree, "includes", "shared", "pure") == (0, ["layers: nothing to complain about"])


@pytest.mark.parametrize(
    "name, line",
    [
        ("common/err.c", '#include "daemon/slot.h"'),
        ("common/err.h", "#include <jansson.h>"),
        ("common/err.c", "#include <lua.h>"),
        ("daemon/slot.c", '#include "worker/core/loop.h"'),
        ("daemon/proc/spawn.c", "#include <lua.h>"),
        ("daemon/proc/spawn.c", "#include <h2o.h>"),
        ("daemon/proc/spawn.c", "#include <openssl/ssl.h>"),
        ("daemon/proc/spawn.c", '  #  include "ctl/main.h"'),
        ("ctl/main.c", '#include "daemon/slot.h"'),
        ("ctl/main.c", "#include <yaml.h>"),
        ("worker/core/loop.c", '#include "daemon/slot.h"'),
        ("worker/core/loop.c", '#include "worker/http/server.h"'),
        ("worker/core/loop.c", '#include "worker/modules.h"'),
        ("worker/core/loop.c", "#include <jansson.h>"),
        ("worker/http/server.c", '#include "worker/lib/mod_json.h"'),
        ("worker/lib/mod_json.h", '#include "worker/http/server.h"'),
        ("worker/lib/mod_json.c", '#include "worker/modules.h"'),
        ("worker/modules.h", '#include "worker/lib/mod_json.h"'),
        ("worker/pick.c", '#include "worker/http/server.h"'),
        ("daemon/slot.c", '#include "slot.h"'),
        ("daemon/slot.c", '#include "daemon/nowhere.h"'),
        ("daemon/proc/spawn.c", "#include <curl/curl.h>"),
    ],
)
def test_an_include_across_the_layers_is_found(tree, name, line):
    place = plant(tree, name, line)
    code, report = check(tree, "includes")
    places = [found for found in report if found.startswith(place)]
    assert (code, len(report), len(places)) == (1, 1, 1), report


@pytest.mark.parametrize("header", ["unistd.h", "sys/socket.h", "time.h"])
@pytest.mark.parametrize("name", ["daemon/slot.c", "daemon/slot.h"])
def test_a_system_header_in_a_pure_file_is_found(tree, name, header):
    place = plant(tree, name, f"#include <{header}>")
    code, report = check(tree, "pure")
    assert code == 1
    assert len(report) == 1 and report[0].startswith(place)


def test_a_file_is_pure_by_the_word_in_its_head_comment_only(tree):
    plant(tree, "daemon/proc/spawn.c", "/* Pure is another file. */")
    done = subprocess.run([SCRIPT, "--root", tree, "--list-pure"], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.split() == ["common/err.c", "daemon/slot.c"]


@pytest.mark.parametrize("users", [[], ["daemon/slot.c"], ["worker/core/loop.c", "worker/main.c"]])
def test_a_common_file_that_serves_less_than_two_programs_is_found(tree, users):
    plant(tree, "common/list.h", "int list_add(void);")
    for name in users:
        plant(tree, name, '#include "common/list.h"')
    code, report = check(tree, "shared")
    assert code == 1
    assert len(report) == 1 and report[0].startswith("common/list.h:1: ")


def test_a_common_file_may_serve_through_another_one(tree):
    plant(tree, "common/list.h", "int list_add(void);")
    plant(tree, "common/err.c", '#include "common/list.h"')
    assert check(tree, "shared")[0] == 0


def test_a_library_in_the_makefile_is_found(tree):
    place = plant(tree, "Makefile", "LIB_ctl := $(shell pkg-config --libs jansson lua5.4)")
    other = plant(tree, "Makefile", "INC_common := -lm")
    code, report = check(tree, "links")
    assert code == 1
    assert [line for line in report if line.startswith("Makefile")] == [
        next(line for line in report if line.startswith(place) and "lua5.4" in line),
        next(line for line in report if line.startswith(other) and "-lm" in line),
    ]


def compile_in(tree, *arguments):
    subprocess.run(["gcc", *arguments], cwd=tree, check=True, timeout=60)


@pytest.fixture
def built(tree):
    """Three programs, and what they open, that link nothing."""
    (tree / "build/release/modules").mkdir(parents=True)
    (tree / "empty.c").write_text("int main(void)\n{\n    return 0;\n}\n")
    for program in ("fsd", "fsdctl", "fsd-worker", "modules/jwt.so", "modules/sodium.so"):
        compile_in(tree, "empty.c", "-o", f"build/release/{program}")
    return tree


@pytest.mark.parametrize("program, library", [("fsd", "lua5.4"), ("fsd", "ssl"), ("fsdctl", "yaml"), ("fsd-worker", "systemd"),
                                              ("fsd-worker", "sodium"), ("modules/jwt.so", "yaml")])
def test_a_library_that_a_program_must_not_link_is_found(built, program, library):
    assert check(built, "links")[0] == 0
    compile_in(built, "empty.c", "-o", f"build/release/{program}", "-Wl,--no-as-needed", f"-l{library}")
    code, report = check(built, "links")
    assert code == 1
    assert len(report) == 1 and report[0].startswith(f"build/release/{program}:1: links lib{library}")


@pytest.mark.parametrize(
    "line, is_found",
    [
        ("static int count; int next(void); int next(void) { return count++; }", True),
        ("static int count = 7; int next(void); int next(void) { return count++; }", True),
        ("int count;", True),
        ("int next(void); int next(void) { static int count = 3; return count++; }", True),
        ("static _Thread_local int count; int next(void); int next(void) { return count++; }", True),
        ("static const int count = 3; int next(void); int next(void) { return count; }", False),
        ('extern const char *const count[]; const char *const count[] = {"one", "two"};', False),
    ],
)
def test_a_writable_variable_is_found(tree, line, is_found):
    place = plant(tree, "daemon/count.c", line)
    (tree / "build/release/daemon").mkdir(parents=True)
    compile_in(tree, "-fPIE", "-O1", "-c", "daemon/count.c", "-o", "build/release/daemon/count.o")
    _, report = check(tree, "globals")
    mine = [found for found in report if found.startswith("daemon/count.c")]
    assert mine == ([f'{place}"count" is a writable variable; make it const, or a member of what is passed along']
                    if is_found else [])


def test_the_rules_hold_here():
    code, report = check(ROOT, "includes", "shared", "pure")
    assert code == 0, "\n".join(report)
