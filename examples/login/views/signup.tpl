<% layout("layouts/page", { title = "Sign up" }) -%>
<form method="post" action="/signup">
<% for _, problem in ipairs(problems or {}) do -%>
<p class="problem">The <%= problem.path %> <%= problem.message %>.</p>
<% end -%>
<%- include("partials/account", { hint = "new-password" }) -%>
<button>Sign up</button>
</form>
<p><a href="/login">I have an account</a></p>
