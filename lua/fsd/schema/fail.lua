-- fsd.schema.fail: raises a ValidationError for a list of problems, { path, message [, source] } each.
local errors = require "fsd.error"

-- Words for a person: the first problems.
local function summarize(problems)
  local parts = {}
  for i = 1, math.min(#problems, 3) do
    local problem = problems[i]
    local source = problem.source and problem.source .. (problem.path ~= "" and "." or "") or ""
    parts[i] = (source .. problem.path .. " " .. problem.message):gsub("^ ", "")
  end
  if #problems > 3 then parts[4] = ("and %d more"):format(#problems - 3) end
  return table.concat(parts, "; ")
end

return function(problems)
  error(errors.new {
    name = "ValidationError", code = "validation", status = 400, message = summarize(problems), problems = problems,
  }, 0)
end
