"""Asking both applications: Express in node, and what is compared of an answer."""
import http.client
import json
import os
import pathlib
import subprocess

import probes

TABLE = pathlib.Path(__file__).with_name("table.json")
# Headers that mean something to a client; the others are the transport's, or differ from server to server.
COMPARED = ["content-type", "location", "vary", "link", "set-cookie", "allow", "content-disposition", "x-a", "x-b", "x-router", "x-head", "x-content-type-options"]


def find_express():
    """The folder whose node_modules have express: $FSD_EXPRESS, or the one beside this file; None without one, or without node."""
    for folder in (os.environ.get("FSD_EXPRESS"), pathlib.Path(__file__).parent):
        if folder and (pathlib.Path(folder) / "node_modules/express/package.json").exists() and (pathlib.Path(folder) / "node_modules/cookie-parser").exists():
            return pathlib.Path(folder) if any((pathlib.Path(path) / "node").exists() for path in os.environ["PATH"].split(":")) else None
    return None


class Express:
    """The application in node, on a port of its own."""

    def __init__(self, folder):
        environment = {**os.environ, "NODE_ENV": "production", "NODE_PATH": str(folder / "node_modules")}
        self.process = subprocess.Popen(["node", "-e", probes.javascript()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=folder)
        self.address = f"127.0.0.1:{int(self.process.stdout.readline())}"

    def __enter__(self):
        return self.address

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def ask(address, method, path, headers, body):
    """The answer as the table has it."""
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        has_host = any(name == "host" for name, _ in headers)
        connection.putrequest(method, path, skip_accept_encoding=True, skip_host=has_host)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("content-length", str(len(body.encode())))
        connection.endheaders(None if body is None else body.encode())
        response = connection.getresponse()
        answer = {"status": response.status}
        for name in COMPARED:
            values = response.headers.get_all(name)
            if values:
                answer[name] = values if name == "set-cookie" else ", ".join(values)
        text = response.read().decode("utf-8", "replace").replace(address, "HOST")
    finally:
        connection.close()
    if answer.get("content-type", "").startswith("application/json") and text and path.split("?")[0] != "/spaced":
        answer["json"] = json.loads(text)
    else:
        answer["body"] = text
    return answer


def is_error_page(answer):
    """Whether the server's own words for an error are in it; the words differ."""
    return answer["status"] >= 400 and (answer.get("body", "").startswith("<!DOCTYPE html>") or answer.get("body") == "")
