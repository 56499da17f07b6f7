<% layout("layouts/page", { title = "Sorry" }) -%>
<p class="problem"><%= words %></p>
<p><a href="/">Back</a></p>
