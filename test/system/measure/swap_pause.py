"""How long a worker keeps its clients waiting when its code is replaced: by the lag of its loop, and by a client outside.
usage: swap_pause.py [SWAPS [MODULES [LINES]]]  (default 30 50 13000)

An application of so many modules and lines altogether, then the same lines in one file, is put in place again and again, under a keep-alive load;
beside it the same load without.  All get the CPU before others of this machine, where we may; else the last column says what that
adds.  Exits with 1 when a line says MISS."""
import contextlib
import os
import pathlib
import struct
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from as_master import CHANGE_CODE, PREPARE, PREPARED, make_bundle  # noqa: E402
from code_site import Site  # noqa: E402
from service import Load  # noqa: E402

CONNECTIONS, RATE, REST_S, LIMIT_MS = 16, 2000, 0.1, 10

FUNCTION = '''
-- what a module of an application looks like: NAME
function M.NAME(input, options)
  local found = { id = input.id or "NAME", kind = "VERSION", tags = { "a", "b", "c" } }
  if type(input.values) ~= "table" then
    return nil, ("%s: expected a table of values, got %s"):format(found.id, type(input.values))
  end
  for i, value in ipairs(input.values) do
    if value % 2 == 0 then
      found[#found + 1] = { index = i, value = value * (options.factor or 1), label = "even " .. value }
    elseif value > limits.high then
      found.tags[#found.tags + 1] = string.format("%d is above %d", value, limits.high)
    else
      sums.NAME = (sums.NAME or 0) + value
    end
  end
  table.sort(found, function(one, other) return one.value < other.value end)
  return found
end
'''
MODULE_HEAD = 'local fsd = require "fsd"\nlocal M, limits, sums = {}, { low = 1, high = 100 }, {}\n'
ROUTE = 'app:get("/NAME/:id", function(req, res) return M.NAME({ id = req.params.id, values = {} }, {}) end)\n'
MAIN = '''local fsd = require "fsd"
local app = fsd.app()
app:get("/", function(req, res) res:send("hello") end)
app:get("/lag", function() return fsd.worker.lag() end)
'''


def functions(names, version):
    return "".join(FUNCTION.replace("NAME", name).replace("VERSION", str(version)) for name in names)


def routes(names):
    return "".join(ROUTE.replace("NAME", name) for name in names)


def in_modules(modules, lines, version):
    """The application's files: name -> text."""
    each = max(1, (lines // modules - 4) // (FUNCTION.count("\n") + 1))
    files, main = {}, MAIN
    for m in range(modules):
        names = [f"m{m}_f{i}" for i in range(each)]
        files[f"mod{m}"] = (MODULE_HEAD + functions(names, version) + "function M.mount(app)\n" + routes(names) + "end\nreturn M\n")
        main += f'require("mod{m}").mount(app)\n'
    return {**files, "app": main + "return app\n"}


def in_one_file(lines, version):
    names = [f"f{i}" for i in range(lines // (FUNCTION.count("\n") + 1))]
    return {"app": MAIN + MODULE_HEAD + functions(names, version) + routes(names) + "return app\n"}


def bundle(site, files):
    for name, text in files.items():
        (site.folder / f"{name}.lua").write_text(text, encoding="ascii")
    return make_bundle(site.program, site.folder, files["app"])


def put(site, data, generation):
    """One change of code; how long PREPARE and COMMIT took, in milliseconds."""
    site.change += 1
    began = time.monotonic()
    site.worker.tell_memfd(PREPARE, data, struct.pack("=QQQ", site.change, CHANGE_CODE, generation))
    site.expect(PREPARED)
    prepared = time.monotonic()
    site.commit(generation)
    return (prepared - began) * 1000, (time.monotonic() - prepared) * 1000


def lag(site):
    return site.client().ask("/lag")["counts"]


def longest_ms(before, after):
    """The end of the highest bucket that a turn has come into since."""
    grown = [i for i, (old, new) in enumerate(zip(before, after)) if new > old]
    return 2 ** grown[-1]


@contextlib.contextmanager
def serving():
    with tempfile.TemporaryDirectory() as folder:
        site = Site(pathlib.Path(folder))
        try:
            yield site.serve(MAIN + "return app")
        finally:
            site.worker.end()


def queued_ms(pid):
    """How long it could have run, but had no CPU: what others on this machine add to every figure."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e6


def under_load(site, work):
    """What the client outside and the loop saw while that was done, and what it returned."""
    host, port = site.listener.getsockname()
    before, queued = lag(site), queued_ms(site.worker.pid)
    load = Load(f"{host}:{port}", "/", connections=CONNECTIONS, rate=RATE).wait_ready()
    done = work()
    result = load.stop().result()
    return result, longest_ms(before, lag(site)), queued_ms(site.worker.pid) - queued, done


def swaps(site, versions, count):
    took = []
    for i in range(count):
        time.sleep(REST_S)
        took.append(put(site, versions[i % 2], 8 + i))
    return took


def tell(what, result, turn_ms, queued):
    values = " ".join(f"{result['latency_us'][share] / 1000:7.2f}" for share in ("p50", "p99", "max"))
    print(f"    {what:<18}{values}   {turn_ms:>24}{queued:>22.0f}", flush=True)


def measure(title, versions, count, limit_ms):
    """Whether the limit holds; None: there is none."""
    with serving() as site:
        print(f"{title}: a bundle of {len(versions[0]) // 1024} KiB, {count} times, {RATE} requests a second on {CONNECTIONS} connections")
        print("    client, ms:           p50     p99     max   longest turn of the loop, below   waited for a CPU, all in all")
        *plain, _ = under_load(site, lambda: time.sleep(count * REST_S * 2))
        tell("without swaps", *plain)
        result, turn_ms, queued, took = under_load(site, lambda: swaps(site, versions, count))
        tell("with swaps", result, turn_ms, queued)
        for name, values in zip(("PREPARE", "COMMIT"), zip(*took)):
            print(f"    {name:<18}mean {sum(values) / count:.1f} ms, longest {max(values):.1f} ms")
        longest = max(turn_ms, result["latency_us"]["max"] / 1000)
        is_met = limit_ms is None or longest <= limit_ms
        print(f"    pause              {longest:.1f} ms" + ("" if limit_ms is None else f", wanted <= {limit_ms}: {'PASS' if is_met else 'MISS'}"))
        return is_met and result["wrong_status"] == 0


def main():
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    count, modules, lines = (int(word) for word in (sys.argv[1:] + ["30", "50", "13000"][len(sys.argv) - 1:]))
    with tempfile.TemporaryDirectory() as folder:
        site = Site(pathlib.Path(folder))
        many = [bundle(site, in_modules(modules, lines, version)) for version in (1, 2)]
    with tempfile.TemporaryDirectory() as folder:
        site = Site(pathlib.Path(folder))
        one = [bundle(site, in_one_file(lines, version)) for version in (1, 2)]
    is_met = measure(f"{modules} modules, {lines} lines", many, count, LIMIT_MS)
    measure(f"one file, {lines} lines", one, count, None)
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
