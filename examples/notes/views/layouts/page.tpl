<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title><%= title %></title>
<link rel="stylesheet" href="/notes.css">
<script src="/notes.js" defer></script>
</head>
<body>
<h1><a href="<%= url("notes") %>">Notes</a></h1>
<%- yield() -%>
</body>
</html>
