"""What is known of routes: schemas in app:routes(), and fsd.mw.openapi, which makes a document of them."""
import pytest

APP = '''local fsd = require "fsd"
local S = fsd.schema
local app, users = fsd.app(), fsd.router()
app:get("/openapi.json", { name = "document" }, fsd.mw.openapi { title = "Shop", version = "1.2", description = "All of it" })
app:get("/routes", function() return app:routes() end)
app:get("/files/*path", function() end)
app:get("/pages{/:page}", { name = "pages" }, function() end)
app:get('/odd/:"a-b"/c\\\\:d', function() end)
app:all("/any", function() end)
app:get("/native", fsd.respond("x"))
app:get("/pages", function() return "never" end)
app:get("/search", { query = { q = "string", page = { "integer", min = 1, optional = true } },
  headers = { ["x-tenant"] = "string", authorization = "string" } }, function() end)
users:get("/:id", { name = "user", params = { id = { "integer", min = 1 } } }, function() end)
users:post("/", { body = { name = { "string", max = 40 } } }, function(req) return req.valid.body end)
users:put("/", S.handler { body = { "list", of = "integer" } }, function() end)
app:use("/users", users)
local shop = fsd.router()
for name, kind in pairs { number = "integer", part = "number", token = "uuid", title = "slug" } do shop:param(name, kind) end
shop:get("/:number/:token{/:part}", function() end)
shop:put("/:title/:other", { params = { title = { "string", max = 9 } } }, S.handler { body = { name = { "string", max = 40 } } }, function() end)
app:use("/shops/:shop/number/", shop)
for i, wrong in ipairs { {}, { title = "x" }, { title = "x", version = "1", titel = "y" } } do
  local _, message = pcall(fsd.mw.openapi, wrong)
  app:get("/wrong" .. i, function() return { message } end)
end
return app
'''
NAME = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 40}}, "required": ["name"]}


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


@pytest.fixture(scope="module")
def paths(app):
    document = app.get("/openapi.json").json()
    assert (document["openapi"], document["info"]) == ("3.1.0", {"title": "Shop", "version": "1.2", "description": "All of it"})
    return document["paths"]


def test_routes_have_their_schemas(app):
    routes = {(row["method"], row["path"]): row.get("schemas") for row in app.get("/routes").json()}
    assert routes["GET", "/users/:id"] == {"params": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}}}}
    assert routes["POST", "/users"] == {"body": NAME}
    assert routes["PUT", "/users"] == {"body": {"type": "array", "items": {"type": "integer"}}}
    assert routes["GET", "/routes"] is None and routes["GET", "/native"] is None


def test_paths_are_templates(paths):
    assert {"/openapi.json", "/files/{path}", "/pages", "/pages/{page}", "/odd/{a-b}/c:d", "/native", "/users/{id}", "/users"} <= set(paths)
    assert "/any" not in paths
    assert paths["/odd/{a-b}/c:d"]["get"]["parameters"] == [{"name": "a-b", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert "parameters" not in paths["/pages"]["get"]


def test_a_name_stands_once(paths):
    named = [operation["operationId"] for item in paths.values() for operation in item.values() if "operationId" in operation]
    assert sorted(named) == ["document", "pages", "user"]
    assert paths["/pages/{page}"]["get"]["operationId"] == "pages"


def test_schemas_of_paths_queries_and_headers_are_parameters(paths):
    assert paths["/users/{id}"]["get"]["parameters"] == [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}]
    assert paths["/search"]["get"]["parameters"] == [
        {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}},
        {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "x-tenant", "in": "header", "required": True, "schema": {"type": "string"}}]


def test_what_parameters_are_for_the_router_they_are_for_tools(app, paths):
    rows = {(row["method"], row["path"]): row for row in app.get("/routes").json()}
    assert rows["GET", "/shops/:shop/number/:number/:token{/:part}"]["params"] == {"number": "integer", "token": "uuid", "part": "number"}
    assert rows["PUT", "/shops/:shop/number/:title/:other"]["params"] == {"title": "slug"} and "params" not in rows["GET", "/routes"]
    parameters = paths["/shops/{shop}/number/{number}/{token}/{part}"]["get"]["parameters"]
    assert [row["schema"] for row in parameters] == [
        {"type": "string"}, {"type": "integer", "format": "int64"}, {"type": "string", "format": "uuid"}, {"type": "number"}]
    parameters = paths["/shops/{shop}/number/{title}/{other}"]["put"]["parameters"]
    assert [row["schema"] for row in parameters] == [{"type": "string"}, {"type": "string", "maxLength": 9}, {"type": "string"}]


def test_several_checks_of_a_route_are_all_told(paths):
    operation = paths["/shops/{shop}/number/{title}/{other}"]["put"]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == NAME


def test_schemas_of_bodies_are_request_bodies(paths):
    assert paths["/users"]["post"]["requestBody"] == {
        "required": True, "content": {"application/json": {"schema": NAME}, "application/x-www-form-urlencoded": {"schema": NAME}}}
    assert list(paths["/users"]["put"]["requestBody"]["content"]) == ["application/json"]
    assert "requestBody" not in paths["/users/{id}"]["get"]
    assert all(operation["responses"] for item in paths.values() for operation in item.values())


def test_wrong_options_are_told(app):
    assert 'option "title" is missing' in app.get("/wrong1").json()[0]
    assert 'option "version" is missing' in app.get("/wrong2").json()[0]
    assert 'did you mean "title"?' in app.get("/wrong3").json()[0]
