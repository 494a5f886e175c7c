// A Lambda handler that does what its event asks for; nothing at its top level needs an instance.

import { AsyncLocalStorage } from "node:async_hooks";
import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import EventEmitter from "node:events";
import net from "node:net";
import path from "node:path";
import querystring from "node:querystring";
import { fileURLToPath } from "node:url";
import util from "node:util";
import isOdd from "is-odd";
import { sell } from "./stock.js";

const loaded = await Promise.resolve("at the top level");
let calls = 0;

const wait = (milliseconds, value) => new Promise((resolve) => setTimeout(resolve, milliseconds, value));
const dive = (depth) => dive(depth + 1) + 1;

const operations = {
  sell: () => sell("lamb"),
  throwText: () => { throw "just text"; },
  loaded: () => loaded,
  odd: ({ number }) => isOdd(number),
  calls: () => ++calls,
  dive: () => dive(0),
  connect: () => net.connect(80, "example.com"),
  environment: () => ({ greeting: process.env.GREETING, name: process.env.AWS_LAMBDA_FUNCTION_NAME, absent: process.env.ABSENT ?? null }),
  context: (event, context) => ({ ...context, getRemainingTimeInMillis: undefined, left: context.getRemainingTimeInMillis() }),
  fresh: () => ({
    random: Math.random(),
    uuid: crypto.randomUUID(),
    node: randomUUID(),
    bytes: Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex"),
    now: Date.now(),
  }),
  async wait() {
    const order = [], started = Date.now();
    const ended = await Promise.all([300, 100, 200].map((delay) => wait(delay, delay).then((value) => { order.push(value); return value; })));
    return { order, ended, took: Date.now() - started };
  },
  log() {
    console.log("sold %d of %o", 3, { kind: "lamb" });
    console.error(new RangeError("too many"));
    return null;
  },
  async node() {
    const storage = new AsyncLocalStorage(), emitter = new EventEmitter(), heard = [];
    emitter.on("sale", (what) => heard.push(what));
    emitter.emit("sale", "lamb");
    return {
      base64: Buffer.from("grüße").toString("base64"),
      hash: createHash("sha256").update("lamb").digest("hex"),
      inspected: util.inspect({ nested: { list: [1, "two"] } }),
      path: path.join("/a", "..", "b.js"),
      file: fileURLToPath("file:///tmp/a%20b"),
      query: querystring.parse("a=1&a=2&b=%C3%BC"),
      store: storage.run("request", () => storage.getStore()),
      heard,
      url: new URL("../c?q=1", "https://shop.example/a/b").href,
      promised: await util.promisify((value, done) => done(null, value))("kept"),
    };
  },
};

export const handler = async (event, context) => operations[event.op](event, context);
