// Uploads a photo to S3 by a form that the app signs, and hears on the WebSocket what became of it.

const element = (id) => document.getElementById(id);
const say = (text) => { element("state").textContent = text; };

// `lambkin dev` serves the WebSocket API on the next port; elsewhere `?socket=wss://…` says where it is.
const beside = `ws://${location.hostname}:${Number(location.port) + 1}/production`;
const socket = new WebSocket(new URLSearchParams(location.search).get("socket") ?? beside);
let connection;

socket.onopen = () => socket.send(JSON.stringify({ action: "hello" }));
socket.onclose = () => say("the connection is lost: load the page again");
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.connection) {
    connection = message.connection;
    return say("ready");
  }
  show(message);
  say(message.error ? `${message.name} is no photo: ${message.error}` : `${message.name} is measured`);
};

function show({ name, bytes, width, height }) {
  const row = element("photos").insertRow();
  for (const text of [name, bytes, width ? `${width} × ${height}` : ""]) row.insertCell().textContent = text;
}

element("upload").onsubmit = async (event) => {
  event.preventDefault();
  const photo = element("photo").files[0];
  const answer = await fetch("api/photos", {
    method: "POST",
    headers: { authorization: `Bearer ${element("token").value}`, "content-type": "application/json" },
    body: JSON.stringify({ name: photo.name, type: photo.type, connection }),
  });
  const { url, fields, ...said } = await answer.json();
  // An authorizer's refusal has a capital letter.
  if (!answer.ok) return say(`refused: ${said.message ?? said.Message}`);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", photo);
  say(`${photo.name} is on its way`);
  // S3 is another origin: on AWS the bucket's CORS rules must let this page in. The WebSocket tells the end.
  const uploaded = await fetch(url, { method: "POST", body: form });
  if (!uploaded.ok) say(`S3 refuses ${photo.name}: ${(await uploaded.text()).match(/<Code>(.*)<\/Code>/)?.[1]}`);
};

for (const photo of await (await fetch("api/photos")).json()) show(photo);
