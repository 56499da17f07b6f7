<% layout("layouts/page", { title = "Notes" }) -%>
<form class="row">
<input type="search" name="q" value="<%= q %>" maxlength="100" aria-label="Search for">
<button>Search</button>
</form>
<ul>
<% for _, note in ipairs(notes) do -%>
<li><a href="<%= url("note", { id = note.id }) %>"><%= note.title %></a> <small><%= table.concat(note.tags, ", ") %></small></li>
<% end -%>
</ul>
<p class="row">
<% if links.prev then -%>
<a rel="prev" href="<%= links.prev %>">Newer</a>
<% end -%>
<span><%= total %> in all</span>
<% if links.next then -%>
<a rel="next" href="<%= links.next %>">Older</a>
<% end -%>
<a href="<%= url("export") %>">Export</a>
</p>
<h2>New note</h2>
<form method="post" action="<%= url("notes") %>">
<%- include("partials/fields") -%>
<button>Add</button>
</form>
