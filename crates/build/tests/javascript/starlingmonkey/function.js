// A Lambda handler that does what its event asks for, by the web's own interfaces.

const loaded = await Promise.resolve("at the top level");
let calls = 0;

class OutOfStock extends Error {
  name = "OutOfStock";
}

function sell(what) {
  throw new OutOfStock(`no more ${what}`);
}

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
const wait = (milliseconds, value) => new Promise((resolve) => setTimeout(resolve, milliseconds, value));
const dive = (depth) => dive(depth + 1) + 1;

const operations = {
  echo: (event, context) => ({
    event,
    id: context.awsRequestId,
    memory: context.memoryLimitInMB,
    client: context.clientContext,
    left: context.getRemainingTimeInMillis(),
  }),
  fresh: () => ({
    random: Math.random(),
    uuid: crypto.randomUUID(),
    bytes: hex(crypto.getRandomValues(new Uint8Array(16))),
    now: Date.now(),
    greeting: process.env.GREETING,
    calls: ++calls,
  }),
  sell: async () => sell("lamb"),
  throwText: () => { throw "just text"; },
  dive: () => dive(0),
  digest: async ({ text }) => hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
  async stream() {
    const parts = ["one,", "two,", "three"];
    const source = new ReadableStream({
      pull(controller) {
        const part = parts.shift();
        if (part) controller.enqueue(part);
        else controller.close();
      },
    });
    const loud = new TransformStream({ transform(part, controller) { controller.enqueue(part.toUpperCase()); } });
    const reader = source.pipeThrough(loud).getReader();
    for (let text = ""; ;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += value;
    }
  },
  async wait() {
    const order = [], started = Date.now();
    await Promise.all([300, 100, 200].map((delay) => wait(delay, delay).then((value) => order.push(value))));
    return { order, took: Date.now() - started };
  },
  log() {
    console.log("printed", 7);
    console.error("complained");
    return null;
  },
  get: async ({ url }) => (await fetch(url)).status,
  async fetch({ url }) {
    const answer = await fetch(url, { method: "POST", body: "from the guest", headers: { "x-guest": "lamb" } });
    return { status: answer.status, header: answer.headers.get("x-server"), text: await answer.text() };
  },
};

export function handler(event, context, callback) {
  if (event.op !== "callback") return operations[event.op](event, context);
  setTimeout(() => callback(null, { loaded }), 1);
}
