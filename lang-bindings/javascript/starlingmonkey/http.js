// The fetch event on StarlingMonkey: a web handler, as Workers and other web runtimes call it.

import { getEnvironment } from "wasi:cli/environment@0.2.10";
import { begin, env, find } from "./environment.js";
import * as module from "lambkin-user";
import { handlerName } from "./settings.js";

const found = find(module, handlerName, (value) => typeof value?.fetch === "function").value;

addEventListener("fetch", (event) => {
  begin(getEnvironment());
  event.respondWith(answer(event));
});

async function answer(event) {
  try {
    const context = { waitUntil: (promise) => event.waitUntil(promise), passThroughOnException() {}, props: {} };
    return await found.fetch(event.request, env, context);
  } catch (error) {
    console.error(error?.stack ? `${error}\n${error.stack}` : String(error));
    return new Response('{"message":"Internal Server Error"}', {
      status: 500,
      headers: { "content-type": "application/json" },
    });
  }
}
