// What the end-to-end tests ask of a web component.
let calls = 0;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function* numbers(count) {
  for (let number = 1; number <= count; number += 1) yield `${number} ${Date.now()}\n`;
}

// A body that comes in pieces, with a pause after each; one that fails does so after the second.
function inPieces(count, fails) {
  const pieces = numbers(count);
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent > 0) await pause(300);
      if (fails && sent === 2) throw new TypeError("the well ran dry");
      const { value, done } = pieces.next();
      if (done) return controller.close();
      sent += 1;
      controller.enqueue(encoder.encode(value));
    },
  });
}

export default {
  async fetch(request) {
    calls += 1;
    const { pathname } = new URL(request.url);
    const started = Date.now();
    if (pathname === "/slow") await pause(500);
    if (pathname === "/fail") throw new TypeError("it failed as asked");
    if (pathname === "/endless") for (;;);
    if (pathname === "/forever") return new Response(inPieces(1e9, false));
    if (pathname === "/count") return new Response(`${(await request.arrayBuffer()).byteLength}`);
    if (pathname === "/stream") {
      const headers = { "content-type": "text/plain", "set-cookie": "a=1" };
      return new Response(inPieces(3, false), { status: 201, headers });
    }
    if (pathname === "/broken") return new Response(inPieces(3, true));
    if (pathname === "/large") return new Response("x".repeat(7 * 1024 * 1024));
    if (pathname === "/log") console.log(JSON.stringify({ said: "in JSON" }));
    if (pathname.startsWith("/events/")) return Response.json({ at: pathname, event: await request.json() });
    const version = process.env.VERSION;
    const base = request.headers.get("x-lambkin-base-path");
    return Response.json({ version, path: pathname, base, calls, started, ended: Date.now() });
  },
};
