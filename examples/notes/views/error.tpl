<% layout("layouts/page", { title = "Sorry" }) -%>
<p class="problem"><%= err.message %></p>
<p>Go back to change what you have sent, or to <a href="<%= url("notes") %>">the notes</a>.</p>
