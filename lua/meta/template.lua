---@meta fsd.template

---Templates: `<%= value %>` escapes for HTML, `<%- value %>` does not, `<% code %>` is Lua, `<%# comment %>`, `<%%` is a plain `<%`. A tag
---that ends in `-%>` takes the line break behind it with it.
---
---Templates see the values they are given, `ipairs pairs tostring tonumber type string table math utf8 os require`, and
---
---* `include("partials/row", { item = item })`: another view, with these values and all of its own; write it with `<%-`
---* `layout("layouts/page", { title = "x" })`: what this view renders becomes `yield()` in that one
---* `block("head", function() %>...<% end)`: a part of its own; `yield("head", "default")` in the layout
---* `capture(function() %>...<% end)`: the text, to be used somewhere else
---
---A value that is not there is nil and writes nothing; a table or function without `__tostring` cannot be written. Names that begin with
---`_` are taken. An error names the line in the template.
---
---What fails raises a TemplateError, status 500: `template.syntax`, `template.depth` (more than 50 within each other), `view.missing`,
---`view.engine`.
---@class fsd.template
local template = {}

---Compiles a text. Includes and layouts are not possible in it.
---
---Raises `template.syntax` with "name:line".
---@param source string
---@param options? { name?: string } what errors call it, "template" by default
---@return fun(values?: table): string render
---@nodiscard
function template.compile(source, options) end

---@class fsd.template.Options
---@field views? string|string[] folders below the application's, "views" by default; the first one that has the view
---@field view_engine? string ending of views that are named without one, "tpl" by default
---@field view_cache? boolean false compiles a view whenever it is rendered; true by default, since the files of a worker's code don't change
---@field layers? table[] further values, the nearest table first
---@field engines? table<string, fun(path: string, values: table, source: string): string> for files of other endings than tpl, etlua, html, htm, xml

---Renders a view of the code that runs. It is compiled when it is first used, once for each version of the code.
---
---Raises `view.missing`, `view.engine`, `template.syntax`, and whatever the view raises.
---@param view string "user/show", or with its ending "user/show.html"
---@param values? table by name
---@param options? fsd.template.Options
---@return string text
---@nodiscard
function template.render(view, values, options) end

---Compiles all views and raises what is wrong with the first one that cannot be: `app:on_check(fsd.template.check)` refuses
---a reload with a broken one.
---@param options? fsd.template.Options
function template.check(options) end

---The text of a value, with `& < > " '` escaped: safe between tags and in quoted attributes. nil is "".
---
---Raises for a table or function without `__tostring`.
---@param value any
---@return string text
---@nodiscard
function template.escape(value) end

return template
