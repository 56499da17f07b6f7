"""The login example, run as its README says, with two workers; and what it is attacked with."""
import concurrent.futures
import http.cookies
import pathlib
import re
import sys
import urllib.parse

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "test/support"))
from app_process import AppProcess  # noqa: E402

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    process = AppProcess(tmp_path_factory.mktemp("login"), HERE / "app.lua", workers=2)
    try:
        yield process.start_ready(["--shared", "users,sessions,limits"])
    finally:
        process.kill()


class Browser:
    """Keeps cookies, follows no redirect, and sends what browsers send."""

    def __init__(self, server):
        self.server, self.cookies = server, {}

    def request(self, method, path, fields=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("sec-fetch-site", "same-origin")
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if fields is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(fields)
        answer = self.server.request(method, path, body, headers)
        for name, morsel in http.cookies.SimpleCookie(answer.headers.get("set-cookie", "")).items():
            if morsel["max-age"] == "0" or "1970" in morsel["expires"]:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
        return answer

    def token(self, path):
        return re.search(r'name="_csrf" value="([^"]+)"', self.request("GET", path).text)[1]

    def send(self, path, form=None, **fields):
        return self.request("POST", path, {"_csrf": self.token(form or path), **fields})


@pytest.fixture
def browser(server):
    return Browser(server)


@pytest.fixture
def name(request):
    """A name of its own for each test, of letters that the form takes."""
    return re.sub(r"[^a-z]", "-", request.node.name.lower())[:40]


def test_who_is_not_logged_in_is_sent_to_the_form(browser):
    answer = browser.request("GET", "/")
    assert (answer.status, answer.headers["location"]) == (303, "/login")


def test_sign_up_log_out_and_log_in_again(browser, name):
    answer = browser.send("/signup", name=name, password=PASSWORD)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert f"You are <b>{name}</b>" in browser.request("GET", "/").text
    answer = browser.send("/logout", form="/")
    assert answer.headers["location"] == "/login"
    assert "sid" not in browser.cookies
    assert browser.request("GET", "/").status == 303
    assert browser.send("/login", name=name.upper(), password=PASSWORD).status == 303
    assert f"You are <b>{name}</b>" in browser.request("GET", "/").text


def test_a_logged_out_session_is_worth_nothing(browser, name):
    browser.send("/signup", name=name, password=PASSWORD)
    kept = dict(browser.cookies)
    browser.send("/logout", form="/")
    browser.cookies = kept
    assert browser.request("GET", "/").status == 303


@pytest.mark.parametrize("field, value, words", [
    ("name", "x", "name must have 2 to 40 characters"), ("name", "<script>", "name has not the right form"),
    ("password", "short", "password must have 10 to 200 characters"), ("password", "p" * 201, "password must have 10 to 200"),
])
def test_a_bad_account_is_refused_with_words(browser, field, value, words):
    answer = browser.send("/signup", **{"name": "somebody", "password": PASSWORD, field: value})
    assert (answer.status, words in answer.text) == (422, True)
    assert "<script>" not in answer.text


def test_a_name_is_given_once(server, name):
    def sign_up(_):
        return Browser(server).send("/signup", name=name, password=PASSWORD).status

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(sign_up, range(4))) == [303, 422, 422, 422]


def test_wrong_names_and_wrong_passwords_get_one_answer(browser, name):
    browser.send("/signup", name=name, password=PASSWORD)
    pages = []
    for field in ({"name": name, "password": "wrong password"}, {"name": "nobody", "password": PASSWORD}):
        answer = Browser(browser.server).send("/login", **field)
        assert answer.status == 401
        pages.append(re.sub(r'value="[^"]*"|nonce="[^"]*"', "", answer.text))
    assert pages[0] == pages[1]


def test_what_was_typed_comes_back_escaped(browser):
    answer = browser.send("/login", name='"><script>alert(1)</script>', password="x")
    assert answer.status == 401
    assert "&quot;&gt;&lt;script&gt;" in answer.text and "<script>" not in answer.text


def test_guessing_ends_after_ten_failures(server, name):
    Browser(server).send("/signup", name=name, password=PASSWORD)
    guesser = Browser(server)
    token = guesser.token("/login")
    statuses = [guesser.request("POST", "/login", {"_csrf": token, "name": name, "password": f"guess {i}"}).status for i in range(12)]
    assert statuses[:10] == [401] * 10 and statuses[10:] == [429] * 2, statuses


def test_a_planted_session_is_worth_nothing_after_the_login(server, name):
    """The attacker's id, in the visitor's browser."""
    attacker = Browser(server)
    attacker.request("GET", "/login")
    visitor = Browser(server)
    visitor.cookies = dict(attacker.cookies)
    assert visitor.send("/signup", name=name, password=PASSWORD).status == 303
    assert visitor.cookies["sid"] != attacker.cookies["sid"]
    assert f"You are <b>{name}</b>" in visitor.request("GET", "/").text
    assert attacker.request("GET", "/").status == 303


def test_an_id_that_was_not_given_out_is_not_taken_over(browser):
    browser.cookies = {"sid": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA." + "B" * 43}
    browser.request("GET", "/login")
    assert not browser.cookies["sid"].startswith("AAAA")


@pytest.mark.parametrize("headers", [
    {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}, {"sec_fetch_site": "cross-site", "origin": "null"},
])
def test_forms_of_other_sites_are_refused(browser, headers):
    token = browser.token("/login")
    answer = browser.request("POST", "/login", {"_csrf": token, "name": "x", "password": "y"}, **headers)
    assert (answer.status, "another site" in answer.text) == (403, True)


@pytest.mark.parametrize("token", ["", "x", "AAAA.BBBB"])
def test_forms_without_a_token_are_refused(browser, token):
    browser.token("/login")
    assert browser.request("POST", "/login", {"_csrf": token, "name": "x", "password": "y"}).status == 403


def test_the_token_of_another_visitor_is_refused(server):
    token = Browser(server).token("/login")
    other = Browser(server)
    other.token("/login")
    assert other.request("POST", "/login", {"_csrf": token, "name": "x", "password": "y"}).status == 403


def test_the_head_says_what_it_should(browser):
    answer = browser.request("GET", "/login")
    assert re.search(r"sid=[^;]+; Path=/; HttpOnly; SameSite=Lax$", answer.headers["set-cookie"])
    assert answer.headers["cache-control"] == "no-store"
    nonce = re.search(r"style-src 'nonce-([^']+)'", answer.headers["content-security-policy"])[1]
    assert f'<style nonce="{nonce}">' in answer.text
    assert "script-src 'none'" in answer.headers["content-security-policy"]
