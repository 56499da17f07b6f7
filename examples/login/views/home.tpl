<% layout("layouts/page", { title = "Welcome" }) -%>
<p>You are <b><%= user %></b>.</p>
<form method="post" action="/logout">
<input type="hidden" name="_csrf" value="<%= csrf %>">
<button>Log out</button>
</form>
