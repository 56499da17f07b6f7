"""Starting a real fsd with the real worker and an application in Lua, and asking it over HTTP."""
import contextlib
import http.client
import json
import pathlib

from fsd_process import BUILD, FsdProcess, wait_for


class Answer:
    """An HTTP answer, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        assert self.headers["content-type"] == "application/json; charset=utf-8", self.headers
        return json.loads(self.body)


class AppProcess(FsdProcess):
    """One daemon with a real worker.  The application is the path of a main file, the text of one, or a dict of texts by
    file name, app.lua among them."""

    def __init__(self, folder, app, workers=1):
        super().__init__(folder, app=app, workers=workers, worker_path=str(BUILD / "fsd-worker"))
        self.known_address = None

    def write_app(self, app):
        if isinstance(app, pathlib.Path):
            self.app_path = app
            return
        code = self.folder / "code"
        self.app_path = code / "app.lua"
        for name, text in (app if isinstance(app, dict) else {"app.lua": app}).items():
            path = code / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def address(self):
        """host:port as the daemon tells it; what was asked for is port 0."""
        if self.known_address is None:
            self.known_address = self.status()["listeners"][0]["address"]
        return self.known_address

    @contextlib.contextmanager
    def connection(self):
        """A keep-alive connection of its own."""
        connection = http.client.HTTPConnection(self.address(), timeout=30)
        try:
            yield connection
        finally:
            connection.close()

    def request(self, method, path, body=None, headers=(), connection=None):
        """Any body but bytes and str goes as JSON; headers are a dict, or pairs when a name comes twice.  Without a
        connection it uses a new one."""
        if connection is None:
            with self.connection() as own:
                return self.request(method, path, body, headers, own)
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            pairs.append(("content-type", "application/json"))
        if isinstance(body, str):
            body = body.encode()
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in pairs:
            if value is not None:
                connection.putheader(name, value)
        if body is not None:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        return Answer(connection.getresponse())

    def get(self, path="/", headers=()):
        return self.request("GET", path, headers=headers)

    def records(self):
        """The log as a list of dicts; needs write_conf(log_format="json").  A line that is being written is left out."""
        lines = self.log().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_record(self, **wanted):
        """Waits for the first record that has these values."""
        def find():
            for record in self.records():
                if all(record.get(key) == value for key, value in wanted.items()):
                    return record
            return None

        return wait_for(find, f"a log record with {wanted}")
