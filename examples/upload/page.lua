-- page: HTML.  Whatever came from a client is escaped.
local page = {}

local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(text)
  return (tostring(text):gsub("[&<>\"']", escapes))
end

local HEAD <const> = [[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Upload</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
  form { display: grid; gap: .75rem; padding: 1rem; border: 1px solid #8886; border-radius: .5rem; }
  table { width: 100%; border-collapse: collapse; margin-top: 2rem; }
  th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid #8884; }
  td.size { text-align: right; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
]]

local FORM <const> = [[
<h1>Upload</h1>
<form method="post" action="/files" enctype="multipart/form-data">
  <label>Files, up to 5 of 4 MB each <input type="file" name="files" multiple required></label>
  <label>Note <input type="text" name="note" maxlength="200"></label>
  <button>Send</button>
</form>
]]

local function size(bytes)
  if bytes < 1024 then return bytes .. " B" end
  if bytes < 1024 * 1024 then return ("%.1f kB"):format(bytes / 1024) end
  return ("%.1f MB"):format(bytes / 1024 / 1024)
end

local function row(file)
  return ('<tr><td><a href="/files/%s">%s</a></td><td>%s</td><td class="size">%s</td></tr>\n')
    :format(escape(file.id), escape(file.name), escape(file.note or ""), size(file.size))
end

function page.list(files)
  local rows = {}
  for i, file in ipairs(files) do rows[i] = row(file) end
  local list = #rows == 0 and "<p>There are no files yet.</p>\n"
    or "<table>\n<tr><th>File</th><th>Note</th><th>Size</th></tr>\n" .. table.concat(rows) .. "</table>\n"
  return HEAD .. FORM .. list .. "</body>\n</html>\n"
end

function page.problem(message)
  return HEAD .. "<h1>That did not work</h1>\n<p>" .. escape(message) .. '</p>\n<p><a href="/">Back</a></p>\n</body>\n</html>\n'
end

return page
