"""An application made from a table of tests: each row is a handler in Lua that gets a path of its own.

A row's first members are its name, which is a sentence, and the body of a `function(req, res)`."""

HEAD = '''local fsd = require "fsd"
local json = require "fsd.json"
local app = fsd.app()
'''


def app_of(rows, head=""):
    handlers = [f'app:all("/{row[0]}", function(req, res) {row[1]} end)' for row in rows]
    return "\n".join([HEAD, head, *handlers, "return app"])


def names(rows):
    """For pytest's ids."""
    return [row[0] for row in rows]
