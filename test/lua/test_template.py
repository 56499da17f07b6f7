"""fsd.template: what templates write, what they can call, and which line an error names."""
import pytest

from app_process import AppProcess
from fsd_process import RpcError
from handler_rows import app_of, names

# (name, template, values in Lua, what it gives)
TEXTS = [
    ("text_stays_as_it_is", "a\tb\r\n\"quoted\" \\n %s 'x' ä", "{}", "a\tb\r\n\"quoted\" \\n %s 'x' ä"),
    ("an_empty_template_gives_nothing", "", "{}", ""),
    ("values_are_escaped", "<%= v %>|<%= a %>", "{ v = [[<b a='1'>\"&]], a = 'plain' }", "&lt;b a=&#39;1&#39;&gt;&quot;&amp;|plain"),
    ("a_minus_writes_values_as_they_are", "<%- v %>", "{ v = '<b>&' }", "<b>&"),
    ("nil_writes_nothing", "[<%= v %><%- v %>]", "{}", "[]"),
    ("numbers_and_booleans_are_written", "<%= 1 %> <%= 1.5 %> <%= true %> <%= 2^53 // 1 | 0 %>", "{}", "1 1.5 true 9007199254740992"),
    ("what_can_say_its_text_is_escaped", "<%= v %>", "{ v = setmetatable({}, { __tostring = function() return '<x>' end }) }", "&lt;x&gt;"),
    ("code_runs", "<% for i = 1, 3 do %><%= i %>,<% end %>", "{}", "1,2,3,"),
    ("conditions_choose", "<% if v then %>yes<% else %>no<% end %>", "{ v = true }", "yes"),
    ("comments_write_nothing", "a<%# <%= error %>b", "{}", "ab"),
    ("a_trimmed_tag_takes_its_line_break", "<% if v then -%>\nx\n<% end -%>  \ny", "{ v = 1 }", "x\ny"),
    ("a_trimmed_tag_without_a_line_break_takes_nothing", "<%= 1 -%> <%= 2 -%>x", "{}", "1 2x"),
    ("a_doubled_percent_is_no_tag", "<%% x %>", "{}", "<% x %>"),
    ("code_may_end_in_a_comment", "<% local x = 1 -- one %>\n<%= x -- again %>\n!", "{}", "\n1\n!"),
    ("code_may_begin_with_a_parenthesis", "a<% (function() x = 2 end)() %>b<%= x %>", "{}", "ab2"),
    ("an_expression_may_end_in_a_semicolon", "<%= 1 ; %>", "{}", "1"),
    ("many_values_in_a_row_are_joined", "<%= 1 %>" * 400, "{}", "1" * 400),
    ("functions_of_the_standard_library_are_there", "<%= ('x'):rep(3) %><%= string.upper 'a' %><%= #table.pack(1, 2) %>", "{}", "xxxA2"),
    ("a_value_hides_a_function_of_lua", "<%= type %>", "{ type = 'cat' }", "cat"),
    ("error_and_next_are_names_like_others", "<% if error or next or select then %>x<% end %>.", "{}", "."),
    ("what_code_sets_stays_in_the_rendering", "<%= seen %><% seen = 1 %>", "{}", ""),
    ("capture_gives_the_text", "<% local t = capture(function(a) %><b><%= a %></b><% end, 1) %>[<%- t %>]", "{}", "[<b>1</b>]"),
    ("captures_are_within_each_other", "<% local t = capture(function() %>a<% local u = capture(function() %>b<% end) %><%- u %>c<% end) %><%- t %>", "{}", "abc"),
    ("modules_can_be_required", "<%= require('greet').hello 'Ann' %>", "{}", "hello Ann"),
    ("long_texts_keep_their_place", ("a\"\\\r\n\0 " * 1000 + "<%= v %>") * 3, "{ v = 1 }", ("a\"\\\r\n\0 " * 1000 + "1") * 3),
    ("long_texts_are_captured", "<% local t = capture(function() %>" + "x" * 5000 + "<% end) %>[<%- t %>]", "{}", "[" + "x" * 5000 + "]"),
    ("a_name_within_another_is_not_offered", "<%= my_include %>", "{ my_include = 1 }", "1"),
]

# (name, template, what the message says)
MISTAKES = [
    ("an_open_tag_is_named", "a\nb <% x", 'page:2: "<%" without "%>"'),
    ("an_empty_expression_is_named", "\n\n<%= %>", "page:3: the expression is empty"),
    ("an_expression_that_is_none_is_named", "\n<%= for %>", "page:2: unexpected symbol near 'for'"),
    ("an_expression_of_lines_names_the_right_one", "a\n<%= x\n.. y\n.. %>", "page:4: unexpected symbol near <eof>"),
    ("two_expressions_are_no_way_out", "<%= 1) .. (2 %>", "page:1: <eof> expected near ')'"),
    ("code_that_does_not_compile_is_named", "a\n\n<% if x %>\n", "page:3: 'then' expected near"),
    ("a_missing_end_is_named", "<% if x then %>\n\nabc", "page:3: 'end' expected (to close 'if' at line 1) near"),
    ("a_mistake_behind_long_text_is_named", "x\n" * 5000 + "<% if x then %>" + "y" * 5000, "page:5001: 'end' expected near"),
    ("goto_out_of_nowhere_is_named", "\n<% goto nowhere %>", "page:2: no visible label 'nowhere' for"),
]

# (name, template, which line raises)
FAILURES = [
    ("in_code", "a\n<% error_here() %>", 2),
    ("in_an_expression", "a\n\n<%= user.name %>\n", 3),
    ("behind_long_text", "a\nb\r\n\n\n<%= 'x' %> y\nz<%= user.name %>", 6),
    ("behind_a_comment_of_lines", "<%# a\nb\nc %>\n<%= user.name %>", 4),
    ("behind_a_comment_in_code", "<% local x = 1 -- one %>\n\n<%= x -- two %>\n\n<%= user.name %>", 5),
    ("behind_trimmed_tags", "<% local x -%>\n<%# c -%>\n<% x = 1 -%>\n<%= user.name %>", 4),
    ("in_code_of_lines", "<%\nlocal a = 1\nuser.name = a\n%>", 3),
    ("behind_many_values", "<%= 1 %>\n" * 100 + "<%= user.name %>", 101),
    ("behind_texts_of_many_lines", "x\n" * 5000 + "<%= 1 %>" + "y\n" * 5000 + "<%= user.name %>", 10001),
    ("a_table_is_no_text", "\n<%= {} %>", 2),
    ("nor_is_a_function", "\n<%- print or ipairs %>", 2),
]


def quoted(text):
    return '"' + "".join(c if c.isalnum() and c.isascii() else "".join(f"\\{byte:03d}" for byte in c.encode()) for c in text) + '"'


def rows():
    for name, text, values, _ in TEXTS:
        yield name, f"return fsd.template.compile({quoted(text)})({values})"
    for name, text, _ in MISTAKES:
        yield name, f'local _, err = fsd.try(fsd.template.compile, {quoted(text)}, {{ name = "page" }}) return {{ err.code, err.message }}'
    for name, text, _ in FAILURES:
        yield name, f'local _, err = fsd.try(fsd.template.compile({quoted(text)}, {{ name = "page" }})) return {{ err.message }}'


@pytest.fixture(scope="module")
def texts(serve):
    return serve({"app.lua": app_of(list(rows())), "greet.lua": "return { hello = function(name) return 'hello ' .. name end }"})


@pytest.mark.parametrize("name, text, values, expected", TEXTS, ids=names(TEXTS))
def test_text(texts, name, text, values, expected):
    assert texts.get("/" + name).text == expected


@pytest.mark.parametrize("name, text, message", MISTAKES, ids=names(MISTAKES))
def test_mistake(texts, name, text, message):
    code, said = texts.get("/" + name).json()
    assert code == "template.syntax"
    assert said.startswith(message), said


@pytest.mark.parametrize("name, text, line", FAILURES, ids=names(FAILURES))
def test_failure_names_the_line(texts, name, text, line):
    assert texts.get("/" + name).json()[0].startswith(f"page:{line}: ")


VIEWS = {
    "app.lua": '''local fsd = require "fsd"
local app = fsd.app()
app:engine("up", function(path, values, source) return path .. ":" .. source:upper() .. ":" .. values.name end)
app:get("/show/*name", function(req, res) res:render(table.concat(req.params.name, "/"), { name = "<Ann>", list = { 1, 2, 3 } }) end)
app:get("/text", function(req, res) res:type("text"):status(201) res:render("plain") end)
app:get("/string", function() return { app:render("partials/item", { item = "x" }) } end)
app:get("/check", function() fsd.template.check() return 204 end)
app:get("/folders/:name", function(req)
  return fsd.template.render(req.params.name, nil, { views = { "themes/dark", "views" }, view_engine = "etlua" })
end)
app:get("/outside", function() return fsd.template.render("app.lua", {}, { views = ".." }) end)
app:get("/uncached", function() return fsd.template.render("plain", {}, { view_cache = false }) end)
app:on_error(function(err, req, res) res:status(err.status):json { err.code, err.message } end)
return app
''',
    "views/home.tpl": "<% layout('layouts/page', { title = 'Home' }) %>\n<% block('head', function() %><link><% end) -%>\n<p><%= name %></p>",
    "views/layouts/page.tpl": "<% layout 'layouts/site' %><main><%- yield() %></main><% side = 1 %>",
    "views/layouts/site.tpl": "<title><%= title %></title><%- yield 'head' %><%- yield('foot', 'none') %><%- yield() %>",
    "views/list.tpl": "<% for _, item in ipairs(list) do %><%- include('partials/item', { item = item }) %><% end %><%= item %>",
    "views/partials/item.tpl": "<li><%= item %> <%= name %></li>",
    "views/boxed.tpl": "<% layout 'layouts/bare' %>[<%- include 'card' %>]",
    "views/card.tpl": "<% layout 'layouts/frame' %>card",
    "views/layouts/frame.tpl": "{<%- yield() %>}",
    "views/layouts/bare.tpl": "bare <%- yield() %>",
    "views/loop.tpl": "<%- include 'loop' %>",
    "views/turn.tpl": "<% layout 'turn' %>",
    "views/plain.tpl": "plain",
    "views/page.html": "<%= 1 + 1 %>",
    "views/shout.up": "hello",
    "views/data.json": "{}",
    "views/fails.tpl": "\n\n<%- include 'deeper' %>",
    "views/deeper.tpl": "\n<%= nobody.name %>",
    "themes/dark/plain.etlua": "dark",
    "views/other.etlua": "light",
}


@pytest.fixture(scope="module")
def views(serve):
    return serve(VIEWS)


@pytest.mark.parametrize("view, text", [
    ("home", "<title>Home</title><link>none<main>\n<p>&lt;Ann&gt;</p></main>"),
    ("list", "<li>1 &lt;Ann&gt;</li><li>2 &lt;Ann&gt;</li><li>3 &lt;Ann&gt;</li>"),
    ("boxed", "bare [{card}]"),
    ("plain", "plain"),
    ("plain.tpl", "plain"),
    ("page.html", "2"),
])
def test_a_view_is_rendered(views, view, text):
    answer = views.get("/show/" + view)
    assert (answer.status, answer.text) == (200, text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_the_type_that_is_set_stays(views):
    answer = views.get("/text")
    assert (answer.status, answer.text, answer.headers["content-type"]) == (201, "plain", "text/plain; charset=utf-8")


def test_an_application_renders_to_a_string(views):
    assert views.get("/string").json() == ["<li>x </li>"]


@pytest.mark.parametrize("view, code, message", [
    ("hoem", "view.missing", 'no view "hoem": there is no views/hoem.tpl, did you mean "home"?'),
    ("nothing/like/it", "view.missing", 'no view "nothing/like/it": there is no views/nothing/like/it.tpl'),
    ("home.html", "view.missing", 'no view "home.html": there is no views/home.html'),
    ("..%2fapp.lua", "view.missing", 'no view "../app.lua": there is no views/../app.lua'),
    ("data.json", "view.engine", 'no engine for "views/data.json": register one with app:engine("json", fn)'),
    ("loop", "template.depth", '"loop": more than 50 templates within each other; does one include itself?'),
    ("turn", "template.depth", '"turn": more than 50 templates within each other; does one include itself?'),
    ("fails", "error", "views/deeper.tpl:2: attempt to index a nil value (global 'nobody')"),
])
def test_what_cannot_be_rendered_says_why(views, view, code, message):
    answer = views.get("/show/" + view)
    assert answer.status == 500
    assert answer.json()[0] == code
    assert answer.json()[1].startswith(message), answer.json()


def test_the_first_folder_that_has_the_view_is_taken(views):
    assert [views.get("/folders/" + name).text for name in ("plain", "other")] == ["dark", "light"]


def test_views_are_below_the_application(views):
    assert "must be a path below the application's folder" in views.get("/outside").json()[1]


def test_a_view_may_be_compiled_each_time(views):
    assert views.get("/uncached").text == "plain"


def test_all_views_compile(views):
    assert views.get("/check").status == 204


def test_views_change_with_the_code(tmp_path):
    code = 'local fsd = require "fsd" local app = fsd.app() app:get("/", function(_, res) res:render("x", { v = 1 }) end) ' \
        "app:on_check(function() fsd.template.check() end) return app"
    app = AppProcess(tmp_path, {"app.lua": code, "views/x.tpl": "one <%= v %>"})
    try:
        app.start_ready()
        view = app.app_path.parent / "views/x.tpl"
        assert app.get("/").text == "one 1"
        view.write_text("two <%= v %>")
        assert app.get("/").text == "one 1"
        app.call("reload")
        assert app.get("/").text == "two 1"
        view.write_text("\nthree <%= v")
        with pytest.raises(RpcError, match=r'views/x\.tpl:2: "<%" without "%>"'):
            app.call("reload")
        assert app.get("/").text == "two 1"
    finally:
        app.kill()


def test_a_large_page_is_whole(tmp_path):
    """A page of some megabytes, escaped and joined."""
    code = 'local fsd = require "fsd" local app = fsd.app() ' \
        'app:get("/", function(_, res) res:render("big", { count = 20000, text = ("<&>"):rep(20) }) end) return app'
    app = AppProcess(tmp_path, {"app.lua": code, "views/big.tpl": "<% for i = 1, count do %><p><%= text %></p>\n<% end %>"})
    try:
        app.start_ready()
        line = "<p>" + "&lt;&amp;&gt;" * 20 + "</p>\n"
        assert app.get("/").text == line * 20000
    finally:
        app.kill()


def test_a_large_view_may_have_any_text_but_not_any_code(tmp_path):
    code = '''local fsd = require "fsd" local app = fsd.app()
app:get("/text", function(_, res) res:render("text", { v = 1 }) end)
app:get("/code", function() local _, err = fsd.try(fsd.template.compile, ("<%= v %>"):rep(200000), { name = "page" }) return err.message end)
app:get("/some", function() return fsd.template.compile(("<%= v %>"):rep(10000))({ v = 1 }) end)
return app'''
    text = "some \"text\"\n" * 300_000
    app = AppProcess(tmp_path, {"app.lua": code, "views/text.tpl": text + "<%= v %>" + text})
    try:
        app.start_ready()
        assert app.get("/text").text == text + "1" + text
        assert app.get("/code").text.startswith("page:1: too much code: ")
        assert app.get("/some").text == "1" * 10_000
    finally:
        app.kill()


# name, template of "big", of which 30,000 rows are written, and 300,000 where joined ones are joined again
ROWS = [
    ("for", "<% for i = 1, n do %><%= i %>,<% end %>"),
    ("many", "<% n = 300000 for i = 1, n do %><%= i %>,<% end %>"),
    ("while", "<% local i = 0 while i < n do i = i + 1 %><%= i %>,<% end %>"),
    ("repeat", "<% local i = 0 repeat i = i + 1 %><%= i %>,<% until i == n %>"),
    ("function", "<% local function row(i) %><%= i %>,<% if i < n then return row(i + 1) end end row(1) %>"),
    ("branches", "<% for i = 1, n do if i % 2 == 0 then %><%= i %>,<% else %><%- i %>,<% end end %>"),
    ("capture", "<% local text = capture(function() for i = 1, n do %><%= i %>,<% end end) %><%- text %>"),
    ("nothing-between", "<% for i = 1, n do %><% if i then %><%= i %>,<% end %><% end %>"),
]


@pytest.mark.parametrize("view", [pytest.param(view, id=name) for name, view in ROWS])
def test_pieces_of_long_loops_stay_in_order(tmp_path, view):
    code = 'local fsd = require "fsd" local app = fsd.app() ' \
        'app:get("/", function(_, res) res:render("big", { n = 30000 }) end) return app'
    app = AppProcess(tmp_path, {"app.lua": code, "views/big.tpl": "<p>" + view + "</p>"})
    try:
        app.start_ready()
        count = 300_000 if "300000" in view else 30_000
        assert app.get("/").text == "<p>" + "".join(f"{i}," for i in range(1, count + 1)) + "</p>"
    finally:
        app.kill()
