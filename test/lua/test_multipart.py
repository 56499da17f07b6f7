"""Multipart bodies: req:parts, req:multipart, and fsd.body.multipart as middleware."""
import pytest

from app_process import wait_for
from handler_rows import app_of, names

BOUNDARY = "XXboundaryXX"
TYPE = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(head, data=b""):
    data = data.encode() if isinstance(data, str) else data
    head = head.encode() if isinstance(head, str) else head
    return b"--" + BOUNDARY.encode() + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n"


def field(name, value=""):
    return part(f'Content-Disposition: form-data; name="{name}"', value)


def file(name, filename, data="", kind="text/plain"):
    return part(f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {kind}', data)


def form(*parts):
    return b"".join(parts) + b"--" + BOUNDARY.encode() + b"--\r\n"


LIST = '''
  local found = json.array{}
  for p in req:parts%s do found[#found + 1] = { p.name or false, p.filename or false, p.type, p.size, p:read() } end
  return found'''

# name, handler, body, the JSON answer
GIVEN = [
    ("parts_are_fields_and_files", LIST % "()", form(field("a", "1"), file("f", "x.TXT", "data", "Text/HTML; charset=utf-8")),
     [["a", False, "text/plain", 1, "1"], ["f", "x.TXT", "text/html", 4, "data"]]),
    ("parts_of_an_empty_form", LIST % "()", form(), []),
    ("parts_without_a_type", LIST % "()", form(part('content-disposition: form-data; name=a; filename=b', "x")),
     [["a", "b", "application/octet-stream", 1, "x"]]),
    ("parts_skip_files_that_were_left_empty", LIST % "()", form(file("f", ""), field("a")), [["a", False, "text/plain", 0, ""]]),
    ("parts_of_a_path_are_its_last_component", LIST % "()", form(file("f", "../../etc/passwd", "x"), file("g", "..", "y")),
     [["f", "passwd", "text/plain", 1, "x"], ["g", "", "text/plain", 1, "y"]]),
    ("parts_with_a_filename_in_utf8", LIST % "()",
     form(part("content-disposition: form-data; name=a; filename=x; filename*=utf-8''%c3%a4.txt", "x")),
     [["a", "ä.txt", "application/octet-stream", 1, "x"]]),
    ("parts_hold_anything_but_the_boundary", LIST % "()", form(file("f", "x", f"--{BOUNDARY}x\r\n\r\n--{BOUNDARY[:-1]}\r\n--")),
     [["f", "x", "text/plain", len(f"--{BOUNDARY}x\r\n\r\n--{BOUNDARY[:-1]}\r\n--"), f"--{BOUNDARY}x\r\n\r\n--{BOUNDARY[:-1]}\r\n--"]]),
    ("parts_have_headers", 'for p in req:parts() do return { p.headers["x-one"], p.headers["content-disposition"] } end',
     form(part("X-One:  1 \r\nContent-Disposition: form-data; name=a")), ["1", "form-data; name=a"]),
    ("parts_may_be_json", "for p in req:parts() do return p:json() end", form(field("a", '{"b":[1]}')), {"b": [1]}),
    ("parts_may_be_left_early", "for p in req:parts() do return { p.name } end", form(field("a"), field("b")), ["a"]),
    ("multipart_is_fields_and_files", '''
       local form = req:multipart()
       local f = form.files[1]
       return { form.fields, #form.files, f.name, f.filename, f.data, f:read() == f.data, req.body == form.fields }''',
     form(field("a", "1"), file("f", "x", "data"), field("b", "2"), field("a", "3")),
     [{"a": ["1", "3"], "b": "2"}, 1, "f", "x", "data", True, True]),
    ("multipart_names_are_flat", "return req:multipart().fields", form(field("a[b]", "1"), field("l[]", "2")), {"a[b]": "1", "l[]": "2"}),
    ("multipart_extended", "return req:multipart{ extended = true }.fields",
     form(field("a[b][c]", "1"), field("a[b][d]", "&=%"), field("l[]", "2"), field("x", "3"), field("x", "4"), file("f", "n", "y"), field("l[]", "5")),
     {"a": {"b": {"c": "1", "d": "&=%"}}, "l": ["2", "5"], "x": ["3", "4"]}),
    ("multipart_extended_has_places_up_to_100", "return req:multipart{ extended = true }.fields",
     form(field("l[100]", "z"), field("l[99]", "y"), field("l[0]", "a")), {"l": ["a", "y", "z"]}),
    ("multipart_extended_nests_8_levels", "return req:multipart{ extended = true }.fields", form(field("a" + "[a]" * 8, "1")),
     {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": "1"}}}}}}}}}),
    ("multipart_extended_of_nothing", "return req:multipart{ extended = true }.fields", form(field("", "1")), {}),
    ("multipart_filters_files", '''
       local form = req:multipart{ file_filter = function(p, r) return p.type == "image/png" and r == req end }
       return { #form.files, form.files[1].filename }''',
     form(file("f", "a", "x"), file("f", "b", "x", "image/png")), [1, "b"]),
    ("multipart_stores_by_a_function", '''
       local form = req:multipart{ storage = function(p, r) return { p.filename, p:read(), r == req } end }
       return form.files[1].value''', form(file("f", "a", "x")), ["a", "x", True]),
    ("multipart_accepts_by_name", "return { #req:multipart{ accept = { f = 2 } }.files }", form(file("f", "a", "x"), file("f", "b", "x")), [2]),
    ("multipart_at_all_its_limits", '''
       local form = req:multipart{ limits = { parts = 3, files = 1, fields = 2, field_name_size = 3, field_size = 4, file_size = "5b", header_pairs = 2 } }
       return { #form.files }''', form(field("abc", "1234"), field("b", ""), file("f", "x", "12345")), [1]),
]


def nested(count):
    return form(*(field(f"n{i}") for i in range(count)))


# name, handler, body, status, code, field, a part of the message
REFUSED = [
    ("more_than_100_parts", "req:multipart()", nested(101), 413, "LIMIT_PART_COUNT", None, "more than 100 parts"),
    ("ten_thousand_parts", "req:multipart()", nested(10_000), 413, "LIMIT_PART_COUNT", None, "more than 100 parts"),
    ("more_than_10_files", "req:multipart()", form(*(file("f", "x", "1") for _ in range(11))), 413, "LIMIT_FILE_COUNT", "f", "more than 10 files"),
    ("more_fields_than_allowed", "req:multipart{ limits = { fields = 1 } }", nested(2), 413, "LIMIT_FIELD_COUNT", "n1", "more than 1 fields"),
    ("a_file_above_its_limit", "req:multipart{ limits = { file_size = 3 } }", form(file("f", "x", "1234")), 413, "LIMIT_FILE_SIZE", "f", "3 bytes"),
    ("a_field_above_1_mib", "req:multipart()", form(field("a", "x" * (1024 * 1024 + 1))), 413, "LIMIT_FIELD_VALUE", "a", "1048576 bytes"),
    ("a_name_above_100_bytes", "req:multipart()", form(field("a" * 101)), 413, "LIMIT_FIELD_KEY", None, "longer than 100 bytes"),
    ("a_name_that_nests_too_deep", "req:multipart{ extended = true }", form(field("a" + "[b]" * 9)), 400, "LIMIT_FIELD_NESTING", "a" + "[b]" * 9,
     "deeper than 8 levels"),
    ("a_name_of_brackets", "req:multipart{ extended = true, limits = { field_nesting_depth = 1 } }", form(field("[[")), 400,
     "LIMIT_FIELD_NESTING", "[[", "deeper than 1 levels"),
    ("a_place_above_100", "req:multipart{ extended = true }", form(field("a[101]")), 400, "LIMIT_FIELD_ARRAY_INDEX", "a[101]", "above 100"),
    ("a_place_far_above", "req:multipart{ extended = true }", form(field("a[0][" + "9" * 80 + "]")), 400, "LIMIT_FIELD_ARRAY_INDEX",
     "a[0][" + "9" * 80 + "]", "above 100"),
    ("more_headers_than_allowed", "req:multipart{ limits = { header_pairs = 1 } }", form(part("a: 1\r\nb: 2")), 413, "LIMIT_HEADER_PAIRS", None,
     "more than 1 headers"),
    ("a_head_above_16_kib", "req:multipart()", form(part("a: " + "x" * 17000)), 400, "entity.parse.failed", None, "headers of a part are too long"),
    ("a_flood_of_headers", "req:multipart()", form(part("\r\n".join(f"h{i}: 1" for i in range(3000)))), 400, "entity.parse.failed", None, "too long"),
    ("a_part_without_a_name", "req:multipart()", form(part("content-disposition: form-data", "x")), 400, "MISSING_FIELD_NAME", None, "has no name"),
    ("a_part_without_a_disposition", "req:multipart()", form(part("x: y", "x")), 400, "MISSING_FIELD_NAME", None, "has no name"),
    ("a_name_that_is_not_utf8", "req:multipart()", form(part(b'content-disposition: form-data; name="\xff"')), 400, "INVALID_FIELD_NAME", None,
     "not UTF-8"),
    ("an_unexpected_file", 'req:multipart{ accept = { g = 1 } }', form(file("f", "x", "1")), 400, "LIMIT_UNEXPECTED_FILE", "f",
     'unexpected file in field "f"'),
    ("one_file_too_many", 'req:multipart{ accept = { f = 1 } }', form(file("f", "x", "1"), file("f", "x", "1")), 400, "LIMIT_UNEXPECTED_FILE", "f",
     "unexpected"),
    ("any_file_where_none_is_taken", 'req:multipart{ accept = "none" }', form(file("f", "x", "1")), 400, "LIMIT_UNEXPECTED_FILE", "f", "unexpected"),
    ("two_names", "req:multipart()", form(part("content-disposition: form-data; name=a; name=b")), 400, "entity.parse.failed", None,
     "Content-Disposition"),
    ("two_dispositions", "req:multipart()", form(part("content-disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b")), 400,
     "entity.parse.failed", None, "the same header twice"),
    ("a_header_without_a_colon", "req:multipart()", form(part("nonsense")), 400, "entity.parse.failed", None, "a header of a part"),
    ("a_form_that_has_no_end", "req:multipart()", field("a", "x"), 400, "entity.parse.failed", None, "ends within a part"),
    ("a_form_that_is_none", "req:multipart()", b"hello", 400, "entity.parse.failed", None, "boundary does not occur"),
    ("an_empty_form", "req:multipart()", b"", 400, "entity.parse.failed", None, "boundary does not occur"),
]

CODES = 'app:on_error(function(err, req, res) res:status(err.status):json{ code = err.code, message = err.message, field = err.field } end)\n'


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(GIVEN))


@pytest.fixture(scope="module")
def refusing(serve):
    return serve(app_of(REFUSED, CODES), limits={"body": "10MiB"})


@pytest.mark.parametrize("name, code, body, expected", GIVEN, ids=names(GIVEN))
def test_multipart(app, name, code, body, expected):
    answer = app.request("POST", "/" + name, body, TYPE)
    assert (answer.status, answer.json()) == (200, expected)


@pytest.mark.parametrize("name, code, body, status, error, field_name, message", REFUSED, ids=names(REFUSED))
def test_multipart_is_refused(refusing, name, code, body, status, error, field_name, message):
    answer = refusing.request("POST", "/" + name, body, TYPE)
    found = answer.json()
    assert (answer.status, found["code"], found.get("field")) == (status, error, field_name)
    assert message in found["message"]


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="a[b"',
                                  "multipart/form-data; boundary=" + "x" * 71, 'multipart/form-data; boundary="ends in a space "'])
def test_a_boundary_must_be_one(refusing, kind):
    answer = refusing.request("POST", "/an_empty_form", form(), {"content-type": kind})
    assert (answer.status, answer.json()["code"]) == (400, "entity.parse.failed")
    assert "boundary" in answer.json()["message"]


def test_parts_of_mixed_bodies_need_no_name(serve):
    app = serve(app_of([("list", LIST % "()")]))
    answer = app.request("POST", "/list", form(part("content-type: text/css", "x")), {"content-type": f"multipart/mixed; boundary={BOUNDARY}"})
    assert answer.json() == [[False, False, "text/css", 1, "x"]]


UPLOADS = CODES + '''
local memory = fsd.body.multipart()
local function show(req, res)
  local files = req.files
  local listed = json.array{}
  if files and #files > 0 then
    for _, f in ipairs(files) do listed[#listed + 1] = f.name .. "=" .. f.data end
  elseif files then
    for name, list in pairs(files) do for _, f in ipairs(list) do listed[#listed + 1] = name .. "=" .. f.data end end
    table.sort(listed)
  end
  res:json{ body = req.body, file = req.file and req.file.data, files = listed }
end
app:post("/single", memory:single("f"), show)
app:post("/array", memory:array("f", 2), show)
app:post("/fields", memory:fields{ f = 1, g = 2 }, show)
app:post("/none", memory:none(), show)
app:post("/any", memory:any(), show)
app:post("/itself", memory, show)
app:post("/accepting", fsd.body.multipart{ accept = { f = 1 } }, show)
'''

F, G, A = file("f", "x", "1"), file("g", "y", "2"), field("a", "b")

# path, body, answer, or status and code
UPLOADED = [
    ("/single", form(A, F), {"body": {"a": "b"}, "file": "1", "files": []}),
    ("/single", form(A), {"body": {"a": "b"}, "files": []}),
    ("/single", form(F, F), (400, "LIMIT_UNEXPECTED_FILE")),
    ("/single", form(G), (400, "LIMIT_UNEXPECTED_FILE")),
    ("/array", form(F, A, F), {"body": {"a": "b"}, "files": ["f=1", "f=1"]}),
    ("/array", form(F, F, F), (400, "LIMIT_UNEXPECTED_FILE")),
    ("/fields", form(G, F, G), {"body": {}, "files": ["f=1", "g=2", "g=2"]}),
    ("/fields", form(F, F), (400, "LIMIT_UNEXPECTED_FILE")),
    ("/none", form(A), {"body": {"a": "b"}, "files": []}),
    ("/none", form(A, F), (400, "LIMIT_UNEXPECTED_FILE")),
    ("/any", form(G, F), {"body": {}, "files": ["g=2", "f=1"]}),
    ("/itself", form(G, F), {"body": {}, "files": ["g=2", "f=1"]}),
    ("/accepting", form(F), {"body": {}, "files": ["f=1"]}),
    ("/accepting", form(G), (400, "LIMIT_UNEXPECTED_FILE")),
]


@pytest.fixture(scope="module")
def uploading(serve):
    return serve(app_of([], UPLOADS))


@pytest.mark.parametrize("path, body, expected", UPLOADED)
def test_middleware_takes_the_files_of_its_fields(uploading, path, body, expected):
    answer = uploading.request("POST", path, body, TYPE)
    if isinstance(expected, tuple):
        assert (answer.status, answer.json()["code"]) == expected
    else:
        assert answer.json() == expected


def test_middleware_passes_on_what_is_no_form(uploading):
    assert uploading.request("POST", "/any", "{}", {"content-type": "application/json"}).json() == {"files": []}


DISK = CODES + '''
local folder = fsd.config.folder
local function list(req, res)
  local seen = json.array{}
  for _, f in ipairs(req.files) do seen[#seen + 1] = f.path end
  res:json(seen)
end
app:post("/kept", fsd.body.multipart{ storage = "disk", dir = folder }, list)
app:post("/named", fsd.body.multipart{ storage = "disk", dir = folder, filename = function(p) return p.name .. ".dat" end }, list)
app:post("/unnamed", fsd.body.multipart{ storage = "disk", dir = folder, filename = function(p) return p.headers["x-name"] end }, list)
app:post("/gone", fsd.body.multipart{ storage = "disk" }, list)
app:post("/saved", fsd.body.multipart{ storage = "disk" }, function(req, res)
  local file = req.files[1]
  res:json{ file:save(folder .. "/saved"), file.path }
end)
app:post("/raises", fsd.body.multipart{ storage = "disk" }, function(req, res) error(req.files[1].path) end)
'''


@pytest.fixture
def disk(serve, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    app = serve(app_of([], DISK.replace("fsd.config.folder", f'"{folder}"')), limits={"body": "10MiB"})
    return app, folder


def test_files_on_the_disk_stay_in_the_folder_that_was_said(disk):
    app, folder = disk
    data = "x" * 700_000
    answer = app.request("POST", "/kept", form(file("f", "../../x", data), file("f", "y", "2")), TYPE)
    paths = answer.json()
    assert sorted(paths) == sorted(str(path) for path in folder.iterdir())
    assert [open(path).read() for path in paths] == [data, "2"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())


def test_no_file_is_kept_when_one_is_refused(disk):
    app, folder = disk
    answer = app.request("POST", "/kept", form(F, F, part("nonsense")), TYPE)
    assert answer.status == 400
    wait_for(lambda: not list(folder.iterdir()), "the files to go")


def test_files_may_be_named_by_the_application(disk):
    app, folder = disk
    assert app.request("POST", "/named", form(F, G), TYPE).json() == [f"{folder}/f.dat", f"{folder}/g.dat"]
    assert app.request("POST", "/named", form(F), TYPE).status == 500  # it is there already
    assert (folder / "f.dat").read_text() == "1"


@pytest.mark.parametrize("name", ["../x", "a/b", "..", ".", ""])
def test_a_name_must_be_none_of_a_folder(disk, name):
    app, folder = disk
    body = form(part(f"content-disposition: form-data; name=f; filename=x\r\nx-name: {name}", "1"))
    assert app.request("POST", "/unnamed", body, TYPE).status == 500
    assert not list(folder.iterdir())


@pytest.mark.parametrize("path", ["/gone", "/raises"])
def test_temporary_files_go_with_the_request(disk, path):
    app, folder = disk
    answer = app.request("POST", path, form(F), TYPE)
    if path == "/gone":
        paths = answer.json()
    else:
        paths = [app.wait_record(path=path, level="error")["msg"].split(": ")[-1]]
    assert len(paths) == 1 and paths[0].startswith("/")
    wait_for(lambda: not any(map(exists, paths)), "the temporary file to go")


def exists(path):
    try:
        with open(path):
            return True
    except FileNotFoundError:
        return False


def test_a_temporary_file_may_be_saved(disk):
    app, folder = disk
    size, temporary = app.request("POST", "/saved", form(F), TYPE).json()
    assert (size, (folder / "saved").read_text()) == (1, "1")
    wait_for(lambda: not exists(temporary), "the temporary file to go")
