<% layout("layouts/page", { title = "Log in" }) -%>
<form method="post" action="/login">
<% if failed then -%>
<p class="problem">Name or password is wrong.</p>
<% end -%>
<%- include("partials/account", { hint = "current-password" }) -%>
<button>Log in</button>
</form>
<p><a href="/signup">I have no account yet</a></p>
