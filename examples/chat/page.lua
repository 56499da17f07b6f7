-- page: the one HTML page, as a string.  It shows what was said as text only.
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
<title>Chat</title>
<style>
  :root { color-scheme: light dark; }
  body { margin: 0 auto; padding: 1rem; max-width: 42rem; font: 1rem/1.5 system-ui, sans-serif; }
  ol { list-style: none; padding: 0; height: 60vh; overflow-y: auto; border: 1px solid gray; border-radius: .4rem; }
  li { padding: .2rem .6rem; overflow-wrap: anywhere; }
  form { display: flex; gap: .5rem; }
  input, select, button { font: inherit; padding: .3rem .5rem; }
  #text { flex: 1; }
  #state { color: gray; font-size: .9rem; }
</style>
</head>
<body>
<h1>Chat</h1>
<p><label>Room <select id="room"></select></label> <span id="state" role="status"></span></p>
<ol id="messages" aria-live="polite"></ol>
<form id="form">
  <input id="who" aria-label="Your name" placeholder="Your name" maxlength="20" size="10" required>
  <input id="text" aria-label="Message" placeholder="Message" maxlength="500" autocomplete="off" required>
  <button>Say</button>
</form>
<script>
const element = id => document.getElementById(id);
let source = null, seen = new Set();

// A room may die between a message and the answer to who said it, who says it again then.
function show(message) {
  if (seen.has(message.key)) return;
  seen.add(message.key);
  const item = document.createElement("li"), name = document.createElement("b");
  name.textContent = message.who + ": ";
  item.append(name, message.text);
  item.title = new Date(message.id).toLocaleString();
  element("messages").append(item);
  item.scrollIntoView();
}

// The browser connects again by itself, and tells the number of the last message that it got.
function enter(room) {
  if (source) source.close();
  element("messages").replaceChildren();
  seen = new Set();
  source = new EventSource(`/rooms/${encodeURIComponent(room)}/events`);
  source.onmessage = event => show(JSON.parse(event.data));
  source.onerror = () => element("state").textContent = "connecting again";
  source.addEventListener("worker", event => element("state").textContent = "worker " + event.data);
}

const pause = () => new Promise(resolve => setTimeout(resolve, 500));

// A room whose worker has died is there again in a moment.  The key keeps it from hearing a message twice.
async function say(room, message) {
  for (let tries = 0; tries < 20; tries++, await pause()) {
    const answer = await fetch(`/rooms/${encodeURIComponent(room)}/messages`, {
      method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(message),
    }).catch(() => null);
    if (answer && answer.status < 500) return answer.ok;
  }
  return false;
}

element("form").onsubmit = async event => {
  event.preventDefault();
  const text = element("text").value;
  element("text").value = "";
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16)).join("");
  if (!await say(element("room").value, { who: element("who").value, text, key })) element("state").textContent = "not said: " + text;
};

element("room").onchange = () => enter(element("room").value);
fetch("/rooms").then(answer => answer.json()).then(rooms => {
  for (const room of rooms) element("room").append(new Option(room.id));
  enter(rooms[0].id);
});
</script>
</body>
</html>
]==]
