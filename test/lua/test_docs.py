"""The documentation is right: its programs load in the real worker, its fragments compile, its links lead somewhere."""
import json
import re

import pytest

from app_process import AppProcess
from fsd_process import ROOT, RpcError

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
GUIDES = sorted((ROOT / "docs/guide").glob("*.md"))
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(kind):
    """(page, number of the line, code) of each block of this kind."""
    found = []
    for page in PAGES:
        text = page.read_text()
        found += [(page, text.count("\n", 0, match.start()) + 2, match[2]) for match in FENCE.finditer(text) if match[1] == kind]
    return found


def ids(found):
    return [f"{name_of(page)}:{line}" for page, line, _ in found]


PROGRAMS = blocks("lua app")
FRAGMENTS = blocks("lua")


def modules_of(page):
    """The fragments of a page that say which file they are: `-- room.lua`."""
    found = [(re.match(r"-- (\w+\.lua)\n", code), code) for other, _, code in FRAGMENTS if other == page]
    return {match[1]: code for match, code in found if match}


@pytest.mark.parametrize("page, line, code", PROGRAMS, ids=ids(PROGRAMS))
def test_program_loads_and_serves(tmp_path, page, line, code):
    app = AppProcess(tmp_path, {"app.lua": code, "public/index.html": "", **modules_of(page)})
    try:
        app.start_ready(["--shared", "limits,sessions"])
        assert app.get("/nothing-has-this-path").status in (404, 401)
        assert " error " not in app.log()
    finally:
        app.kill()


def test_fragments_compile(tmp_path):
    """All in one bundle; a name of a file there is page and line."""
    files = {f"{name_of(page)}-{line}.lua".replace("/", "-"): code for page, line, code in FRAGMENTS}
    app = AppProcess(tmp_path, {"app.lua": 'return require("fsd").app()', **files})
    try:
        app.start_ready()
    finally:
        app.kill()


def test_getting_started_answers_as_it_says(tmp_path):
    code = next(code for page, _, code in PROGRAMS if page.name == "getting-started.md")
    app = AppProcess(tmp_path, code)
    page = (ROOT / "docs/getting-started.md").read_text()
    said = [json.loads(line) for line in page.split("\n") if line.startswith('{"error"')]
    as_json = {"content-type": "application/json"}
    try:
        app.start_ready()
        assert app.get("/todos").text == "[]"
        added = app.request("POST", "/todos", '{"title":"write docs"}', as_json)
        assert (added.status, added.json()) == (201, {"id": 1, "done": False, "title": "write docs"})
        assert app.request("PUT", "/todos/1/done").json()["done"] is True
        assert app.request("PUT", "/todos/9/done").json() == {"error": "no such todo"}
        assert app.request("PUT", "/todos/x/done").json() == {"error": "Not Found"}
        for body in ('{"title":', "{}"):
            assert app.request("POST", "/todos", body, as_json).json() in said
        wrong = app.request("DELETE", "/todos")
        assert (wrong.status, f"allow: {wrong.headers['allow']}" in page) == (405, True)
    finally:
        app.kill()


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_guide_starts_with_a_program_and_ends_with_production(page):
    text = page.read_text()
    assert re.match(r"# [^\n]+\n\n```lua app\n", text)
    assert text.rindex("\n## ") == text.index("\n## In production\n")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_that_exist(page):
    text = FENCE.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "#")):
            assert (page.parent / target.split("#")[0]).exists(), f"{name_of(page)} links to {target}"


def test_index_names_every_page():
    index = (ROOT / "docs/index.md").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.name == "index.md" or f"({page.relative_to(ROOT / 'docs')})" in index, f"{name_of(page)} is not in docs/index.md"


@pytest.fixture
def guide(tmp_path):
    """guide(stem): runs the program of a page, with the modules that stand there."""
    started = []

    def run(stem):
        page, code = next((page, code) for page, _, code in PROGRAMS if page.stem == stem)
        started.append(AppProcess(tmp_path, {"app.lua": code, **modules_of(page)}))
        return started[-1].start_ready()

    yield run
    for app in started:
        app.kill()


def test_the_guide_to_testing_tells_what_fails_and_where(tmp_path):
    page, code = [(page, code) for page, _, code in PROGRAMS if page.stem == "testing"][1]
    modules = modules_of(page)
    app = AppProcess(tmp_path, {"app.lua": code, **modules})
    try:
        app.start_ready()
        app.wait_log("3 tests, 0 failed")
        assert (app.get("/").status, app.get("/").json()) == (200, {"tests": 3, "failed": []})
    finally:
        app.kill()
    broken = {"shop.lua": modules["shop.lua"].replace('name = "pen"', 'name = "pin"')}
    app = AppProcess(tmp_path, {"app.lua": code, **broken})
    try:
        app.start_ready()
        app.wait_log("3 tests, 1 failed")
        answer = app.get("/")
        line = 1 + code[:code.index('.name, "pen"')].count("\n")
        assert (answer.status, answer.json()["failed"]) == (422, [{"test": "an_item_is_found", "error": f"app.lua:{line}: expected pen, got pin"}])
    finally:
        app.kill()


def test_the_guide_to_servers_counts(guide):
    app = guide("servers")
    assert [app.get("/visits").json() for _ in range(2)] == [{"visits": 1}, {"visits": 2}]


def test_the_guide_to_groups_talks(guide):
    app = guide("groups")
    assert app.request("POST", "/rooms/a", "hi").json() == {"sent": 0, "rooms": 0}
    assert [app.request("PUT", "/rooms/a").status for _ in range(2)] == [204, 204]
    assert app.request("POST", "/rooms/a", "hi").json() == {"sent": 1, "rooms": 1}


def test_the_guide_to_reloading_keeps_what_it_says(guide):
    app = guide("reloading")
    code = app.app_path.read_text()
    with app.connection() as connection:
        def ask():
            return app.request("GET", "/", connection=connection).json()

        assert ask() == {"greeting": "hello", "requests": 1, "count": 1, "generation": 1}
        app.app_path.write_text(code.replace('greeting = "hello"', 'greeting = "good day"'))
        app.call("reload")
        after = ask()
        assert after.pop("generation") > 1
        assert after == {"greeting": "good day", "requests": 2, "count": 2}
        app.app_path.write_text(code.replace('greeting = "hello"', "greeting = 7"))
        with pytest.raises(RpcError, match=r"app\.lua:\d+: greeting must be a string \(worker app/0\)"):
            app.call("reload")
        assert ask()["greeting"] == "good day"


def test_the_guide_to_reloading_moves_the_state_of_a_server(tmp_path):
    page = ROOT / "docs/guide/reloading.md"
    app_code = """local fsd = require "fsd"
local app = fsd.app()
app:supervisor { name = "s", children = { { id = "total", start = { "total" }, name = "total" } } }
app:get("/", function() return { require("total").add("total", 5) } end)
return app"""
    before = """local Total = require "fsd.server" {}
Total.api = { "add" }
function Total:init() self.sum = 0 end
function Total:add(by) self.sum = self.sum + by return self.sum end
return Total"""
    app = AppProcess(tmp_path, {"app.lua": app_code, "total.lua": before})
    try:
        app.start_ready()
        assert app.get("/").json() == [5]
        (app.app_path.parent / "total.lua").write_text(modules_of(page)["total.lua"])
        app.call("reload")
        assert app.get("/").json() == [10]
    finally:
        app.kill()


def test_the_guide_to_reloading_changes_the_shape_of_state(tmp_path):
    code = next(code for page, _, code in FRAGMENTS if page.stem == "reloading" and "by_name" in code)
    old = 'local fsd = require "fsd" fsd.state("cache", { shape = 1, by_id = { { name = "ann" } } }) return fsd.app()'
    new = f"{code}local app = fsd.app() app:get('/', function() return {{ cache.shape, cache.by_name.ann.name }} end) return app"
    app = AppProcess(tmp_path, old)
    try:
        app.start_ready()
        app.app_path.write_text(new)
        app.call("reload")
        assert app.get("/").json() == [2, "ann"]
    finally:
        app.kill()
