<input type="hidden" name="_csrf" value="<%= csrf %>">
<label>Name <input name="name" value="<%= name %>" required autocomplete="username"></label>
<label>Password <input name="password" type="password" required autocomplete="<%= hint %>"></label>
