"""The same as long_calls.py for fsd.template and fsd.schema: how long they hold a worker's loop.
usage: template_calls.py [ROUNDS [NAME]]  (default 5, all)"""
import long_calls

TABLE = '''kept = { render = fsd.template.compile [[
<% for i = 1, count do -%><tr><td><%= i %></td><td><%= text %></td></tr>
<% end -%>]] }'''
VALUE = 'kept = { render = fsd.template.compile "<p><%= text %></p>", text = ("<some> & text "):rep(SIZE // 14) }'
SOURCE = "kept = ('<p class=\"x\">text</p>\\n<% if x then %><%= x.y %><% end %>\\n'):rep(SIZE // 58)"
LIST = 'kept = { schema = fsd.schema.new { "list", of = { id = "integer", name = { "string", max = 20 } } }, value = {} } ' \
    'for i = 1, COUNT do kept.value[i] = { id = i, name = "row " .. i } end'

# As those of long_calls.py.
CALLS = [
    ("nothing", "", "return 204", b"", {}),
    ("template, 1 MB of rows", TABLE, "res:send(kept.render { count = 20000, text = 'a & b <c>' })", b"", {}),
    ("template, 10 MB of rows", TABLE, "res:send(kept.render { count = 200000, text = 'a & b <c>' })", b"", {}),
    ("template, a value of 1 MB", VALUE.replace("SIZE", "1000000"), "res:send(kept.render(kept))", b"", {}),
    ("template, a value of 10 MB", VALUE.replace("SIZE", "10000000"), "res:send(kept.render(kept))", b"", {}),
    ("template.compile, 100 KB", SOURCE.replace("SIZE", "100000"), "fsd.template.compile(kept) return 204", b"", {}),
    ("template.compile, 400 KB", SOURCE.replace("SIZE", "400000"), "fsd.template.compile(kept) return 204", b"", {}),
    ("template.compile, 3 MB of text", SOURCE.replace("SIZE", "5800") + " kept = kept .. ('<p>text</p>\\n'):rep(250000)",
     "fsd.template.compile(kept) return 204", b"", {}),
    ("schema, 5,000 objects", LIST.replace("COUNT", "5000"), "kept.schema:assert(kept.value) return 204", b"", {}),
    ("schema, 20,000 objects", LIST.replace("COUNT", "20000"), "kept.schema:assert(kept.value) return 204", b"", {}),
]

if __name__ == "__main__":
    long_calls.main(CALLS)
