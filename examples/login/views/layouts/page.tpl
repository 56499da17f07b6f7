<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title><%= title %></title>
<style nonce="<%= csp_nonce %>">
body { font: 16px sans-serif; max-width: 24em; margin: 3em auto; }
label { display: block; margin: 1em 0; }
input { display: block; width: 100%; font: inherit; }
.problem { color: #a00; }
</style>
</head>
<body>
<h1><%= title %></h1>
<%- yield() -%>
</body>
</html>
