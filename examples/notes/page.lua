-- page: the one HTML page, as a string.  It needs nothing from elsewhere, and shows what notes hold as text only.
return [==[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
      content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self';
               img-src data:">
<link rel="icon" href="data:,">
<title>Notes</title>
<style>
  :root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --quiet: #59636e; }
  :root { --line: #d1d9e0; --accent: #0a58ca; --bad: #b3261e; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #14181d; --ink: #e6edf3; --quiet: #9aa5b1; }
    :root { --line: #3a434d; --accent: #79b0ff; --bad: #ff9a94; }
  }
  * { box-sizing: border-box; }
  body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 42rem; font: 1rem/1.5 system-ui, sans-serif; }
  body { color: var(--ink); background: var(--paper); }
  h1 { font-size: 1.6rem; margin: 0 0 1rem; }
  h2 { font-size: 1.15rem; margin: 0; overflow-wrap: anywhere; }
  form { display: grid; gap: .6rem; padding-bottom: 1.2rem; border-bottom: 1px solid var(--line); }
  label { display: grid; gap: .2rem; font-weight: 600; }
  input, textarea, button { font: inherit; color: inherit; background: transparent; }
  input, textarea, button { border: 1px solid var(--line); border-radius: .4rem; padding: .45rem .6rem; }
  textarea { min-height: 5rem; resize: vertical; }
  button { cursor: pointer; }
  button.main { background: var(--accent); border-color: var(--accent); color: var(--paper); font-weight: 600; }
  button:disabled { opacity: .45; cursor: default; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  .row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
  .search { margin: 1.2rem 0 .5rem; }
  ul { list-style: none; margin: 0; padding: 0; }
  li { padding: 1rem 0; border-bottom: 1px solid var(--line); }
  li p { margin: .3rem 0 .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
  .quiet { color: var(--quiet); font-size: .9rem; }
  #status { min-height: 1.5rem; }
  #status.bad { color: var(--bad); }
  [hidden] { display: none; }
</style>
</head>
<body>
<h1>Notes</h1>
<main>
  <form id="editor" aria-labelledby="editor-title">
    <h2 id="editor-title">New note</h2>
    <label>Title <input id="title" required maxlength="200" autocomplete="off"></label>
    <label>Text <textarea id="text" maxlength="10000"></textarea></label>
    <label>Tags, separated by commas <input id="tags" autocomplete="off"></label>
    <div class="row">
      <button class="main" id="save">Add</button>
      <button type="button" id="cancel" hidden>Cancel</button>
    </div>
  </form>
  <p id="status" role="status" aria-live="polite"></p>
  <label class="search">Search <input id="search" type="search" autocomplete="off"></label>
  <ul id="list" aria-label="Notes"></ul>
  <nav class="row" aria-label="Pages">
    <button type="button" id="newer">Newer</button>
    <span class="quiet" id="range"></span>
    <button type="button" id="older">Older</button>
  </nav>
</main>
<script>
"use strict";
const PAGE = 10;
const at = (id) => document.getElementById(id);
let editing = null; // the note that the form changes; null: a new one
let offset = 0;

function say(text, bad = false) {
  at("status").textContent = text;
  at("status").classList.toggle("bad", bad);
}

async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const answer = response.status === 204 ? null : await response.json();
  if (response.ok) return answer;
  const problems = (answer.problems || []).map((one) => `${one.path} ${one.message}`);
  throw new Error([answer.error, ...problems].join("; "));
}

// Runs what a button asked for; a failure is told, not thrown away.
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say(error.message, true);
  }
}

function element(tag, content, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...[].concat(content)); // strings become text, never HTML
  return made;
}

function show(note) {
  const when = new Date(note.updated_at).toLocaleString();
  const tags = note.tags.length ? ` · ${note.tags.join(", ")}` : "";
  const change = element("button", "Edit", { type: "button", onclick: () => edit(note) });
  const remove = element("button", "Delete", { type: "button", onclick: () => attempt(() => erase(note)) });
  change.setAttribute("aria-label", `Edit ${note.title}`);
  remove.setAttribute("aria-label", `Delete ${note.title}`);
  return element("li", [
    element("h2", note.title),
    element("span", when + tags, { className: "quiet" }),
    element("p", note.text),
    element("div", [change, remove], { className: "row" }),
  ]);
}

let asked = 0; // the latest search; an older answer that comes later is dropped
async function load() {
  const mine = ++asked;
  const query = new URLSearchParams({ limit: PAGE, offset, q: at("search").value });
  const answer = await call("GET", `/notes?${query}`);
  if (mine !== asked) return;
  if (answer.notes.length === 0 && offset > 0) { // the last one of this page was deleted
    offset = Math.max(0, offset - PAGE);
    return load();
  }
  at("list").replaceChildren(...answer.notes.map(show));
  const last = offset + answer.notes.length;
  at("range").textContent = answer.total ? `${offset + 1} to ${last} of ${answer.total}` : "No notes";
  at("newer").disabled = offset === 0;
  at("older").disabled = last >= answer.total;
}

function edit(note) {
  editing = note;
  at("editor-title").textContent = note ? "Change note" : "New note";
  at("save").textContent = note ? "Save" : "Add";
  at("cancel").hidden = !note;
  at("title").value = note ? note.title : "";
  at("text").value = note ? note.text : "";
  at("tags").value = note ? note.tags.join(", ") : "";
  at("title").focus();
}

async function save() {
  const note = {
    title: at("title").value,
    text: at("text").value,
    tags: at("tags").value.split(",").map((tag) => tag.trim()).filter(Boolean),
  };
  if (editing) await call("PUT", `/notes/${editing.id}`, note);
  else await call("POST", "/notes", note);
  say(editing ? "Saved." : "Added.");
  if (!editing) offset = 0;
  edit(null);
  await load();
}

async function erase(note) {
  if (!confirm(`Delete "${note.title}"?`)) return;
  await call("DELETE", `/notes/${note.id}`);
  say("Deleted.");
  if (editing && editing.id === note.id) edit(null);
  await load();
}

function turn(step) {
  offset = Math.max(0, offset + step);
  attempt(load);
}

at("editor").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(save);
});
at("cancel").addEventListener("click", () => edit(null));
at("search").addEventListener("input", () => turn(-offset));
at("newer").addEventListener("click", () => turn(-PAGE));
at("older").addEventListener("click", () => turn(PAGE));
attempt(load);
</script>
</body>
</html>
]==]
