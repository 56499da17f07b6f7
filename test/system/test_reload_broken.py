"""Code that is broken in every way: the old code serves on, `fsdctl reload` says with which file and line, and no request ever sees the new."""
import threading
import urllib.request

import pytest
from code_app import CodeService, read_reload, source, watched
from deploying import address_of, edited, list_fds
from service import wait_for

HELPER = "local helper = {{ version = {} }}\n{}\nreturn helper"
# What the top level of app.lua does, on one line: what is said of it.  The first that loads takes the token.
BROKEN = {
    "a syntax error": ("local = 5", "<name> expected near '='"),
    "an error": ("error('boom')", "boom"),
    "an error that is a table": ("error({ reason = 'boom' })", "table"),
    "an error in one worker, by its slot": ("if fsd.worker.self().slot == 1 then error('not here') end", "not here"),
    "an error in one worker, the first to load": ("if os.remove('{token}') then error('not here') end", "not here"),
    "a module that is not there": ("require('no.such')", "module 'no.such' not found"),
    "a stack without an end": ("local function f() return 1 + f() end f()", "stack overflow"),
    "a wait": ("fsd.task.sleep(0.01)", "cannot wait here"),
    "a task": ("fsd.task.spawn(print)", "cannot spawn a task here"),
    "a task out of a coroutine": ("coroutine.wrap(function() fsd.task.spawn(print) end)()", "cannot spawn a task here"),
    "a timer": ("fsd.timer.after(0, print)", "cannot set a timer here"),
    "a timer again and again": ("fsd.timer.every(1, print)", "cannot set a timer here"),
    "an actor": ("fsd.actor.spawn('helper')", "cannot spawn an actor here"),
    "an actor elsewhere": ("fsd.worker.spawn('helper')", "cannot spawn an actor here"),
    "a call": ("fsd.actor.call('store', 'x')", "cannot"),
    "a message": ("fsd.actor.send('store', 'x')", "cannot send here"),
    "a message that is cast": ("fsd.actor.cast('store', 'x')", "cannot send here"),
    "an end of an actor": ("fsd.actor.exit('store', 'over')", "cannot end an actor here"),
    "an exit": ("os.exit(3)", "cannot exit here"),
    "a name": ("fsd.actor.register('other', fsd.actor.whereis('store'))", "cannot register here"),
    "an entry": ("require('fsd.registry').open('all'):put('key', 1, fsd.actor.whereis('store'))", "cannot put an entry here"),
    "a member of a group": ("require('fsd.group').join('all', fsd.actor.whereis('store'))", "cannot join a group here"),
    "a subscription": ("require('fsd.pubsub').subscribe('news', { pid = fsd.actor.whereis('store') })", "cannot subscribe here"),
    "news": ("require('fsd.pubsub').publish('news', 'x')", "cannot publish here"),
    "a pool": ("fsd.worker.start_pool('other', { app = 'shop' })", "cannot"),
    "a check that raises": ("app:on_check(function() fsd.task.sleep(0.001) error('no database') end)", "no database"),
    "a check that starts a task": ("app:on_check(function() fsd.task.spawn(print) end)", "cannot spawn a task here"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One service for all: nothing here may change it.  Its actors count what they get."""
    store = "return function() while true do require('fsd.actor').receive() require('fsd.log'):error('the store got something') end end"
    one = CodeService(tmp_path_factory.mktemp("broken"), workers=2)
    declared = "app:supervisor { name = 'all', children = { { id = 'store', name = 'store', start = { 'store' } } } }"
    one.put(1, declared, store=store, helper=HELPER.format(1, ""))
    one.declared = declared
    one.write_conf(standby=1)
    one.start_ready()
    one.wait_calm()
    try:
        yield one
    finally:
        one.end()


def line_of(text):
    """In app.lua, when it is added to the application."""
    before, _, _ = source(0, "@@").partition("@@")
    return before.count("\n") + 1 + text.count("\n")


def reload_in_vain(site, words, exit_code=1):
    """One that fails, while requests are made; what it has said."""
    generation, pids = site.wait_calm(), {row["pid"] for row in site.workers()}
    version = site.get("/").headers["x-version"]
    with watched(site) as watchers:
        told = site.ctl("reload")
        assert told.returncode == exit_code and told.stdout == "", read_reload(site, told)
        assert words in told.stderr, read_reload(site, told)
    for one in watchers:
        assert one.versions() == {version} and {seen.generation for seen in one.answers} == {generation}
        assert one.connections == 1
    assert site.wait_calm() == generation
    assert {row["pid"] for row in site.workers()} == pids
    return told.stderr


@pytest.mark.parametrize("code, words", BROKEN.values(), ids=BROKEN.keys())
def test_broken_code_changes_nothing_and_is_said_with_its_place(site, tmp_path, code, words):
    token = tmp_path / "token"
    token.write_text("")
    text = site.declared + "\n" + code.format(token=token) if "{token}" in code else site.declared + "\n" + code
    site.put("broken", text)
    said = reload_in_vain(site, words)
    if "table" not in words:
        assert f"app.lua:{line_of(site.declared) + 1}:" in said
    assert "the store got something" not in site.log()


def test_a_syntax_error_in_a_module_that_nobody_requires_is_one(site):
    site.put("broken", site.declared, helper="return {\n")
    try:
        assert "helper.lua:2:" in reload_in_vain(site, "expected")
    finally:
        (site.app_path.parent / "helper.lua").write_text(HELPER.format(1, ""))


def test_an_error_in_a_module_is_said_with_its_place_and_who_asked_for_it(site):
    site.put("broken", site.declared + "\nrequire('helper')", helper=HELPER.format(2, "\nerror('boom')"))
    said = reload_in_vain(site, "boom")
    assert "helper.lua:3: boom" in said and f"app.lua:{line_of(site.declared) + 1}:" in said


def test_a_worker_that_fails_alone_is_named(site):
    site.put("broken", site.declared + "\nif fsd.worker.self().slot == 1 then error('not here') end")
    assert "web/1" in reload_in_vain(site, "not here")


def test_without_its_main_file_there_is_no_code(site):
    site.app_path.unlink()
    reload_in_vain(site, "app.lua", 78)  # the configuration names it


def test_a_file_that_is_gone_when_it_is_read_fails_or_was_never_there(site):
    """A name that is in the folder, and that cannot be opened."""
    link = site.app_path.parent / "gone.lua"
    link.symlink_to("nowhere.lua")
    try:
        site.put("broken", site.declared + "\nrequire('gone')")
        reload_in_vain(site, "gone")
    finally:
        link.unlink()


def test_files_that_come_and_go_while_they_are_read_give_all_or_nothing(make_service, tmp_path):
    """Whoever wins: the exit code is the truth, and when the code is there, its module is there in every worker."""
    site = CodeService(tmp_path, workers=2)
    try:
        site.write_conf(standby=1)
        site.start_ready()
        site.wait_calm()
        path, whole, is_over = site.app_path.parent / "helper.lua", tmp_path / "helper.lua", threading.Event()

        def come_and_go():
            while not is_over.is_set():
                whole.write_text(HELPER.format(1, ""))
                whole.rename(path)
                path.unlink()

        thread = threading.Thread(target=come_and_go, daemon=True)
        thread.start()
        allowed = {"1"}
        with watched(site) as watchers:
            for version in range(2, 12):
                site.put(version, "require('helper')\napp:get('/helper', function() return { version = require('helper').version } end)")
                told = site.ctl("reload")
                assert told.returncode in (0, 1), read_reload(site, told)
                if told.returncode == 0:
                    allowed.add(str(version))
                    assert site.get("/helper").json() == {"version": 1}
                else:
                    assert "helper" in told.stderr, read_reload(site, told)
        is_over.set()
        thread.join(30)
        site.wait_calm()
        for one in watchers:
            assert one.versions() <= allowed
    finally:
        site.end()


def test_code_that_loads_for_ever_is_cut_in_its_time(make_service, tmp_path):
    site = CodeService(tmp_path, workers=2)
    try:
        site.write_conf(standby=1, boot="1s")
        site.start_ready()
        generation = site.wait_calm()
        for code in ("while true do end", "app:on_check(function() fsd.task.sleep(100) end)"):
            site.put(2, code)
            with watched(site) as watchers:
                told = site.ctl("reload")
                assert told.returncode == 1 and "(worker web/" in told.stderr, read_reload(site, told)
            assert "the code has not come to an end in its time" in told.stderr and f"app.lua:{line_of('')}: in " in told.stderr
            assert all(one.versions() == {"1"} for one in watchers)
            assert site.wait_calm() == generation
    finally:
        site.end()


def version_at(site, listener):
    with urllib.request.urlopen(f"http://{address_of(site, listener)}/", timeout=30) as answer:
        return answer.headers["x-version"]


def test_of_two_applications_both_change_or_none(tmp_path):
    """Also when the one that is broken comes last, or fails in its check, when the other one has prepared long ago."""
    site = CodeService(tmp_path, workers=2)
    try:
        other = tmp_path / "other" / "app.lua"
        other.parent.mkdir()
        other.write_text(source(1))
        site.write_conf(standby=1)
        with edited(site) as conf:
            conf["listeners"]["other"] = {"listen": "127.0.0.1:0"}
            conf["apps"]["other"] = {"path": str(other)}
            conf["pools"]["other"] = {"app": "other", "listeners": ["other"], "count": 2}
        site.start_ready()
        site.wait_calm()
        for broken in ("local = 5", "error('boom')", "app:on_check(function() error('boom') end)"):
            for first, second in (("", broken), (broken, "")):
                site.put(2, first)
                other.write_text(source(2, second))
                told = site.ctl("reload")
                assert told.returncode == 1 and "app.lua:" in told.stderr, read_reload(site, told)
                assert (version_at(site, "web"), version_at(site, "other")) == ("1", "1")
        site.put(3)
        other.write_text(source(4))
        told = site.ctl("reload")
        assert told.returncode == 0 and len(told.stdout.splitlines()) == 2, read_reload(site, told)
        assert (version_at(site, "web"), version_at(site, "other")) == ("3", "4")
    finally:
        site.end()


def test_after_all_that_good_code_is_put_in_place(site):
    """By the workers that were there all the time, and without a descriptor more in the master."""
    pids = {row["pid"] for row in site.workers()}
    for version in range(3, 12):
        if version == 8:
            before = list_fds(site)  # some older code is kept, too
        site.put(version, site.declared)
        told = site.ctl("reload")
        assert told.returncode == 0, read_reload(site, told)
        assert site.get("/").headers["x-version"] == str(version)
    site.wait_calm()
    assert {row["pid"] for row in site.workers()} == pids
    wait_for(lambda: not list_fds(site) - before, "the descriptors to be as before")
