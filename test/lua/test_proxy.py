"""What proxies say about a request, and whom they are believed by."""
import json
import re
import socket

import pytest

APP = '''
local fsd = require "fsd"
local app = fsd.app()
%s
app:all("/", function(req)
  return { ip = req.ip, ips = req.ips, protocol = req.protocol, secure = req.secure, host = req.host or false,
           hostname = req.hostname or false, subdomains = req.subdomains, peer = req.conn.peer.host or req.conn.peer.family }
end)
app:get("/conn", function(req) return { req.conn, req.conn == req.conn, req.conn.tls == nil } end)
app:get("/later", function(req, res)
  res:send("answered")
  fsd.task.sleep(0.01)
  fsd.log:info("later", { ip = req.ip, port = req.conn.peer.port, name = req.raw_headers[1] })
end)
return app
'''
TRUST = 'app:set("trust_proxy", %s)'

# What a client says to be somebody else.
LIES = [
    ("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example"),
    ("forwarded", 'for=6.6.6.6;proto=https;host=evil.example'), ("x-real-ip", "6.6.6.6"), ("client-ip", "6.6.6.6"),
    ("x-forwarded-ssl", "on"), ("front-end-https", "on"), ("x-forwarded-port", "443"), ("x-url-scheme", "https"),
]

# trust, X-Forwarded-For, ip, ips
CHAINS = [
    ("true", "1.1.1.1, 2.2.2.2", "1.1.1.1", ["1.1.1.1", "2.2.2.2"]),
    ("true", None, "127.0.0.1", []),
    ("true", "", "127.0.0.1", []),
    ("true", "1.1.1.1", "1.1.1.1", ["1.1.1.1"]),
    ("true", "1.1.1.1:4711", "1.1.1.1", ["1.1.1.1"]),
    ("true", "[2001:DB8::1]:4711", "2001:db8::1", ["2001:db8::1"]),
    ("true", "::ffff:1.1.1.1", "1.1.1.1", ["1.1.1.1"]),
    ("true", "<script>, 2.2.2.2", "2.2.2.2", ["2.2.2.2"]),
    ("true", "1.1.1.1, unknown, 2.2.2.2", "2.2.2.2", ["2.2.2.2"]),
    ("true", "unknown", "127.0.0.1", []),
    ("1", "1.1.1.1, 2.2.2.2", "2.2.2.2", ["2.2.2.2"]),
    ("2", "1.1.1.1, 2.2.2.2", "1.1.1.1", ["1.1.1.1", "2.2.2.2"]),
    ("0", "1.1.1.1, 2.2.2.2", "127.0.0.1", []),
    ("false", "1.1.1.1, 2.2.2.2", "127.0.0.1", []),
    ('"loopback"', "1.1.1.1, 2.2.2.2", "2.2.2.2", ["2.2.2.2"]),
    ('"loopback"', "1.1.1.1, 127.0.0.9", "1.1.1.1", ["1.1.1.1", "127.0.0.9"]),
    ('"loopback, 2.2.2.0/24"', "1.1.1.1, 2.2.2.2", "1.1.1.1", ["1.1.1.1", "2.2.2.2"]),
    ('{ "127.0.0.1", "uniquelocal" }', "6.6.6.6, 1.1.1.1, 10.1.2.3", "1.1.1.1", ["1.1.1.1", "10.1.2.3"]),
    ('"10.0.0.0/8"', "1.1.1.1, 10.1.2.3", "127.0.0.1", []),
    ("{}", "1.1.1.1", "127.0.0.1", []),
    ('""', "1.1.1.1", "127.0.0.1", []),
    ("function(address, hop) return hop == 1 and address == '127.0.0.1' end", "1.1.1.1, 2.2.2.2", "2.2.2.2", ["2.2.2.2"]),
    ("function(address, hop) return address ~= '1.1.1.1' end", "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1", ["1.1.1.1", "2.2.2.2"]),
]

# headers, what is different with trust in loopback
SAID = [
    ({"x-forwarded-proto": "https"}, {"protocol": "https", "secure": True}),
    ({"x-forwarded-proto": "HTTPS"}, {"protocol": "https", "secure": True}),
    ({"x-forwarded-proto": "https, http"}, {"protocol": "https", "secure": True}),
    ({"x-forwarded-proto": "http"}, {}),
    ({"x-forwarded-proto": "javascript:alert(1)"}, {}),
    ({"x-forwarded-proto": ""}, {}),
    ({"x-forwarded-host": "b.example:8080"}, {"host": "b.example:8080", "hostname": "b.example", "subdomains": []}),
    ({"x-forwarded-host": "x.y.b.example , c.example"}, {"host": "x.y.b.example", "hostname": "x.y.b.example", "subdomains": ["y", "x"]}),
    ({"x-forwarded-host": "b.example/path"}, {}),
    ({"x-forwarded-host": "a@b.example"}, {}),
    ({"x-forwarded-host": ""}, {}),
    ({"forwarded": "for=1.1.1.1;proto=https;host=b.example"},
     {"ip": "1.1.1.1", "ips": ["1.1.1.1"], "protocol": "https", "secure": True, "host": "b.example", "hostname": "b.example", "subdomains": []}),
    ({"forwarded": 'For="[2001:db8::1]:47011";Host="b.example:81"'},
     {"ip": "2001:db8::1", "ips": ["2001:db8::1"], "host": "b.example:81", "hostname": "b.example", "subdomains": []}),
    # the first was said by somebody whom nobody knows
    ({"forwarded": "for=6.6.6.6;proto=https;host=evil.example, for=1.1.1.1"}, {"ip": "1.1.1.1", "ips": ["1.1.1.1"]}),
    ({"forwarded": "for=1.1.1.1;proto=https, for=127.0.0.2;proto=http"},
     {"ip": "1.1.1.1", "ips": ["1.1.1.1", "127.0.0.2"], "protocol": "https", "secure": True}),
    ({"forwarded": "for=_hidden;proto=https"}, {"protocol": "https", "secure": True}),
    ({"forwarded": "for=6.6.6.6, for=unknown;proto=https"}, {"protocol": "https", "secure": True}),
    ({"forwarded": 'for=6.6.6.6;x=", for="[2001:db8::1]"'}, {}),
    ({"forwarded": "for=6.6.6.6;proto=ftp"}, {"ip": "6.6.6.6", "ips": ["6.6.6.6"]}),
    # a proxy that sets the one kind hands on the other
    ({"forwarded": "for=6.6.6.6;proto=https;host=evil.example", "x-forwarded-for": "1.1.1.1"}, {"ip": "1.1.1.1", "ips": ["1.1.1.1"]}),
    ({"forwarded": "for=6.6.6.6;host=evil.example", "x-forwarded-proto": "https"}, {"protocol": "https", "secure": True}),
]
PLAIN = {"ip": "127.0.0.1", "ips": [], "protocol": "http", "secure": False, "host": "a.b.example.com:81", "hostname": "a.b.example.com",
         "subdomains": ["b", "a"], "peer": "127.0.0.1"}

# Host, host, hostname, subdomains
HOSTS = [
    ("example.com", "example.com", "example.com", []),
    ("tobi.ferrets.example.com", "tobi.ferrets.example.com", "tobi.ferrets.example.com", ["ferrets", "tobi"]),
    ("example.com:3000", "example.com:3000", "example.com", []),
    ("127.0.0.1:80", "127.0.0.1:80", "127.0.0.1", []),
    ("[::1]", "[::1]", "[::1]", []),
    ("[::1]:80", "[::1]:80", "[::1]", []),
    ("localhost", "localhost", "localhost", []),
    ("a.localhost", "a.localhost", "a.localhost", []),
]

REFUSED = ['"loopbac"', '"10.0.0.0/33"', '{ "10.0.0.0/8", "x" }', "{ 1 }", "1.5", '"300.1.1.1"', '"10.0.0.0/0"']


@pytest.fixture(scope="module")
def apps(serve):
    """By what the application says; each is started once."""
    started = {}

    def get(settings=""):
        if settings not in started:
            started[settings] = serve(APP % settings)
        return started[settings]
    return get


def ask(app, headers):
    """Over a socket: http.client adds a Host of its own."""
    host, port = app.address().rsplit(":", 1)
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    if not any(name == "host" for name, _ in pairs):
        pairs.insert(0, ("host", "a.b.example.com:81"))
    head = "GET / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs if value is not None) + "connection: close\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])


@pytest.mark.parametrize("header", LIES + [LIES], ids=lambda lie: lie[0] if isinstance(lie, tuple) else "all_of_them")
@pytest.mark.parametrize("settings", ["", TRUST % "false", TRUST % '"10.0.0.0/8"', TRUST % "function() return false end"],
                         ids=["unset", "false", "others", "function"])
def test_an_untrusted_peer_cannot_pass_for_another(apps, settings, header):
    assert ask(apps(settings), header if isinstance(header, list) else [header]) == PLAIN


@pytest.mark.parametrize("trust, chain, ip, ips", CHAINS)
def test_the_last_hop_that_is_not_believed_is_the_client(apps, trust, chain, ip, ips):
    said = ask(apps(TRUST % trust), {"x-forwarded-for": chain})
    assert (said["ip"], said["ips"], said["peer"]) == (ip, ips, "127.0.0.1")


@pytest.mark.parametrize("headers, difference", SAID)
def test_a_trusted_peer_is_believed(apps, headers, difference):
    assert ask(apps(TRUST % '"loopback"'), headers) == {**PLAIN, **difference}


@pytest.mark.parametrize("trust", ["true", "1", "function() return true end"])
def test_every_kind_of_trust_counts_for_protocol_and_host(apps, trust):
    said = ask(apps(TRUST % trust), {"x-forwarded-proto": "https", "x-forwarded-host": "b.example"})
    assert (said["protocol"], said["host"]) == ("https", "b.example")


def test_headers_that_repeat_are_one_list(apps):
    said = ask(apps(TRUST % '"loopback"'), [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "127.0.0.2")])
    assert said["ips"] == ["1.1.1.1", "127.0.0.2"]


def test_a_chain_longer_than_any_is_cut(apps):
    said = ask(apps(TRUST % "true"), {"x-forwarded-for": ", ".join(f"10.0.0.{i}" for i in range(100))})
    assert (len(said["ips"]), said["ip"]) == (32, "10.0.0.68")


@pytest.mark.parametrize("sent, host, hostname, subdomains", HOSTS)
def test_a_host_is_taken_apart(apps, sent, host, hostname, subdomains):
    said = ask(apps(), {"host": sent})
    assert (said["host"], said["hostname"], said["subdomains"]) == (host, hostname, subdomains)


@pytest.mark.parametrize("offset, subdomains", [(0, ["com", "example", "b", "a"]), (1, ["example", "b", "a"]), (3, ["a"]), (9, [])])
def test_the_offset_of_subdomains_is_a_setting(apps, offset, subdomains):
    assert ask(apps(f'app:set("subdomain_offset", {offset})'), {})["subdomains"] == subdomains


def test_the_connection_is_what_it_is_whatever_is_said(apps):
    app = apps(TRUST % "true")
    with app.connection() as connection:
        conn, is_same, has_no_tls = app.request("GET", "/conn", headers={"x-forwarded-for": "1.1.1.1"}, connection=connection).json()
        mine, theirs = connection.sock.getsockname(), connection.sock.getpeername()
    assert conn == {"peer": {"host": "127.0.0.1", "port": mine[1], "family": "inet"},
                    "local_addr": {"host": "127.0.0.1", "port": theirs[1], "family": "inet"}}
    assert is_same and has_no_tls


def test_the_address_is_known_after_the_answer(apps):
    app = apps(TRUST % "true")
    assert app.get("/later", {"x-forwarded-for": "1.1.1.1"}).text == "answered"
    record = app.wait_record(msg="later")
    assert (record["ip"], record["name"]) == ("1.1.1.1", "Host") and record["port"] > 0


def test_an_error_in_the_function_fails_the_request_only(apps):
    app = apps(TRUST % 'function() error("no idea") end')
    assert app.get("/", {"x-forwarded-for": "1.1.1.1"}).status == 500
    assert "no idea" in app.wait_record(path="/", level="error")["msg"]


def test_the_pool_says_whom_to_trust_where_the_application_says_nothing(serve):
    app = serve(APP % "", trusted_proxies="10.0.0.0/8, loopback")
    assert ask(app, {"x-forwarded-for": "1.1.1.1, 10.2.3.4"})["ips"] == ["1.1.1.1", "10.2.3.4"]


def test_the_application_goes_before_the_pool(serve):
    app = serve(APP % (TRUST % "false"), trusted_proxies="loopback")
    assert ask(app, LIES) == PLAIN


@pytest.mark.parametrize("trust", REFUSED)
def test_a_wrong_address_is_told_where_it_is_set(serve_refused, trust):
    assert re.search(r"app\.lua:4: .*trust_proxy must be", serve_refused(APP % (TRUST % trust)))
