<% local tags = note and note.tags or {} -%>
<label>Title <input name="title" value="<%= note and note.title %>" required maxlength="200" autocomplete="off"></label>
<label>Text <textarea name="text" rows="5" maxlength="10000">
<%= note and note.text %></textarea></label>
<fieldset><legend>Tags</legend>
<% for i = 1, math.min(math.max(3, #tags + 1), 10) do -%>
<input name="tags" value="<%= tags[i] %>" maxlength="30" aria-label="Tag <%= i %>" autocomplete="off">
<% end -%>
</fieldset>
