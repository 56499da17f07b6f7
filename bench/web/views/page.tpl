<!doctype html><html><head><title><%= title %></title></head><body><p>Hello, <%= user %></p><table>
<% for _, row in ipairs(rows) do -%>
<tr><td><%= row.id %></td><td><%= row.name %></td><td><%= row.price %></td><td><%= row.note %></td><% if row.ok then %><td>yes</td><% end %></tr>
<% end -%>
</table></body></html>
