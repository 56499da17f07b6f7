<% layout("layouts/page", { title = note.title }) -%>
<form method="post">
<input type="hidden" name="_method" value="PUT">
<input type="hidden" name="version" value="<%= note.version %>">
<%- include("partials/fields") -%>
<button>Save</button>
<small>made <%= note.created_at %>, changed <%= note.updated_at %></small>
</form>
<form method="post" data-confirm="Delete this note?">
<input type="hidden" name="_method" value="DELETE">
<input type="hidden" name="version" value="<%= note.version %>">
<button>Delete</button>
</form>
