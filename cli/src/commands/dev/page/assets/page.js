// The page asks for what has changed, and shows it. Everything that comes from requests is shown as text, never as HTML.

const find = (id) => document.getElementById(id);

function make(tag, content = "", kind = "") {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  element.append(...[content].flat());
  return element;
}

const row = (...cells) => make("tr", cells.map((cell) => (cell instanceof Node ? cell : make("td", String(cell ?? "")))));

const api = (path, init) => fetch(`/_lambkin/api/${path}`, init);

const size = (bytes) =>
  bytes >= 1 << 20 ? `${(bytes / (1 << 20)).toFixed(1)} MiB` : bytes >= 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${bytes} B`;

const ms = (number) => (number == null ? "" : number < 10 ? number.toFixed(2) : number.toFixed(0));

// The latest requests, by their id.
const requests = new Map();
let selected = null;
let socket = null;

function showApp(app) {
  document.title = `${app.name} · Lambkin`;
  find("name").textContent = app.name;
  find("url").textContent = find("url").href = app.url;
  const routes = app.routes.map((route) => {
    const guard = route.authorizer ? ` (authorizer ${route.authorizer})` : "";
    const answers = route.files ? `the files of ${route.files}` : route.component;
    return row((route.methods ?? ["ANY"]).join(", "), route.path, answers + guard);
  });
  const messages = (app.messages ?? []).map((route) => row("WebSocket", route.key, route.component));
  const triggers = app.triggers.map((trigger) => {
    const of = trigger.bucket ?? trigger.schedule ?? trigger.queue ?? trigger.topic ?? trigger.table ?? trigger.stream ?? trigger.rule ?? "";
    return row(trigger.type, of, trigger.component);
  });
  find("routes").replaceChildren(...routes, ...messages, ...triggers);
  find("components").replaceChildren(...app.components.map(showComponent));
  find("console").hidden = !app.websocket;
  find("socket-url").textContent = app.websocket ?? "";
  const chosen = find("bucket").value;
  // The bucket that the app itself is published to comes last.
  const buckets = app.buckets.toSorted((one, other) => (one === "lambkin") - (other === "lambkin"));
  find("bucket").replaceChildren(...buckets.map((bucket) => make("option", bucket)));
  if (buckets.includes(chosen)) find("bucket").value = chosen;
}

function showComponent(component) {
  const about = [component.language, component.world, component.size == null ? "not built" : size(component.size)];
  const details = make("details", [make("summary", [make("b", component.name), ` ${about.filter(Boolean).join(", ")}`])]);
  const grants = Object.entries(component.grants).filter(([, value]) => value && (value === true || Object.keys(value).length));
  details.append(make("h3", "Source"), make("pre", component.source));
  details.append(make("h3", "Grants"), make("pre", grants.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join("\n") || "none"));
  details.append(make("h3", "Imports"), make("pre", (component.imports ?? []).join("\n") || "none"));
  return details;
}

const tone = (status) => (status < 400 ? "good" : status < 500 ? "warn" : "bad");

function showRequests() {
  const latest = [...requests.values()].sort((one, other) => other.id - one.id);
  const rows = latest.map((request) => {
    const time = new Date(request.time).toTimeString().slice(0, 8);
    const link = make("button", `${request.method} ${request.path}${request.query ? `?${request.query}` : ""}`, "link");
    const line = row(time, make("td", String(request.status), tone(request.status)), make("td", link), make("td", ms(request.totalMs), "number"));
    line.dataset.id = request.id;
    line.setAttribute("aria-selected", request.id === selected);
    return line;
  });
  find("requests").replaceChildren(...rows);
  find("none").hidden = latest.length > 0;
  showRequest(requests.get(selected));
}

function showRequest(request) {
  find("request").hidden = !request;
  if (!request) return;
  const detail = request.detail ?? {};
  find("request-title").textContent = `${request.method} ${request.path}, ${request.status}`;
  find("replay").hidden = !request.replay;
  find("error").textContent = request.error ?? "";
  find("timing").replaceChildren(...timing(request, detail));
  const lines = (detail.lines ?? []).map((line) => make("span", `${line.source} | ${line.text}\n`, line.level));
  find("lines").replaceChildren(...lines);
  find("headers").textContent = request.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  find("body").textContent = request.body;
}

// Where the time went, the longest bar being the whole request.
function timing(request, detail) {
  const parts = [];
  const { functionMs, initMs, memoryMb, load } = detail;
  if (functionMs != null) {
    const rest = request.totalMs - functionMs - (initMs ?? 0);
    if (rest > 0) parts.push(["gateway and Lambda", rest]);
    if (initMs != null) parts.push(["init", initMs]);
    parts.push(["function", functionMs]);
  }
  for (const step of ["fetch", "verify", "load", "link", "instantiate", "guest"]) {
    if (load?.[`${step}Ms`] != null) parts.push([`first use: ${step}`, load[`${step}Ms`]]);
  }
  parts.push(["all", request.totalMs]);
  const longest = Math.max(...parts.map(([, value]) => value), 0.001);
  const bars = parts.map(([name, value]) => {
    const filled = make("span");
    filled.style.width = `${(100 * value) / longest}%`;
    return make("div", [make("span", name), make("div", filled), make("span", `${ms(value)} ms`, "number")], "bar");
  });
  const notes = [];
  if (memoryMb != null) notes.push(`${memoryMb} MB of memory at most`);
  if (load) notes.push(`component from ${load.source ?? "the store"}: ${size(load.bytes ?? 0)}`);
  return notes.length ? [...bars, make("p", notes.join("; "))] : bars;
}

async function follow() {
  let change = 0;
  for (;;) {
    try {
      const response = await api(`changes?after=${change}`);
      if (!response.ok) throw new Error(await response.text());
      const news = await response.json();
      // A number that went back is another `lambkin dev` at the same address.
      if (news.change < change) {
        requests.clear();
        change = 0;
        continue;
      }
      change = news.change;
      if (news.app) showApp(news.app);
      find("broken").hidden = !news.broken;
      find("broken").textContent = news.broken ?? "";
      for (const request of news.requests) requests.set(request.id, request);
      for (const id of [...requests.keys()].sort((one, other) => one - other).slice(0, -200)) requests.delete(id);
      if (news.requests.length) showRequests();
      find("state").textContent = "live";
    } catch {
      find("state").textContent = "lambkin dev does not answer";
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}

find("requests").addEventListener("click", (event) => {
  const line = event.target.closest("tr");
  if (line) selected = Number(line.dataset.id);
  showRequests();
});

find("replay").addEventListener("click", async () => {
  const response = await api(`requests/${selected}/replay`, { method: "POST", headers: { "x-lambkin-page": "1" } });
  if (!response.ok) find("error").textContent = await response.text();
});

find("list").addEventListener("submit", async (event) => {
  event.preventDefault();
  const bucket = find("bucket").value;
  const response = await api(`objects?${new URLSearchParams({ bucket, key: find("prefix").value })}`);
  if (!response.ok) return find("objects").replaceChildren(row(await response.text()));
  const objects = (await response.json()).map(({ key, size, modified }) => {
    const link = make("a", key);
    link.href = `/_lambkin/api/object?${new URLSearchParams({ bucket, key })}`;
    return row(make("td", link), make("td", String(size), "number"), new Date(modified).toLocaleString());
  });
  find("objects").replaceChildren(...(objects.length ? objects : [row("no objects")]));
});

function tell(kind, text) {
  find("messages").append(`${kind} ${text}\n`);
  find("messages").scrollTop = find("messages").scrollHeight;
}

find("connect").addEventListener("click", () => {
  if (socket) return socket.close();
  socket = new WebSocket(find("socket-url").textContent);
  const state = (open) => {
    find("connect").textContent = open ? "Disconnect" : "Connect";
    find("send").querySelector("button").disabled = !open;
  };
  socket.onopen = () => (tell("·", "connected"), state(true));
  socket.onmessage = async ({ data }) => tell("←", typeof data === "string" ? data : `${data.size} bytes`);
  socket.onclose = ({ code, reason }) => {
    tell("·", `closed ${code} ${reason}`);
    state(false);
    socket = null;
  };
});

find("send").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send(find("message").value);
  tell("→", find("message").value);
});

follow();
