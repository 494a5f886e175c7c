// The fetch event on StarlingMonkey: a web handler, as Workers and other web runtimes call them.

import { getEnvironment } from "wasi:cli/environment@0.2.10";
import { env } from "./environment.js";
import { begin, load } from "./load.js";
import { show } from "./stack.js";

const isHandler = (value) => typeof value?.fetch === "function";
await load(isHandler);

addEventListener("fetch", (event) => event.respondWith(answer(event)));

async function answer(event) {
  try {
    const handler = await begin(getEnvironment(), isHandler);
    const context = { waitUntil: (promise) => event.waitUntil(promise), passThroughOnException() {}, props: {} };
    return await handler.value.fetch(event.request, env, context);
  } catch (error) {
    console.error(show(error));
    return new Response('{"message":"Internal Server Error"}', {
      status: 500,
      headers: { "content-type": "application/json" },
    });
  }
}
