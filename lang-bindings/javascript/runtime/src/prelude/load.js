// Loads the user's module, at build time or in the first invocation, and finds its handler.

import { describeError } from "lambkin:inspect";
import { setEnvironment } from "lambkin:process";

let handlerName = "handler";
let deferred = false;

/** What serves invocations: `{ kind, call }`, and `this` for a web application. */
export let handler;

/** Evaluates the module now, or notes that the first invocation shall. */
export async function load(name, later) {
  handlerName = name?.split(".").pop() || "handler";
  deferred = later;
  if (deferred) return { kind: null, exports: [] };
  try {
    const exports = await evaluate();
    return { kind: handler?.kind ?? null, exports };
  } catch (error) {
    return { kind: null, exports: [], error: describeError(error) };
  }
}

/** Starts an instance: the environment is known, and a module that waited for it can be evaluated. */
export async function begin(environment) {
  setEnvironment(environment);
  if (!deferred) return {};
  deferred = false;
  try {
    await evaluate();
    return {};
  } catch (error) {
    return { error: describeError(error) };
  }
}

async function evaluate() {
  const namespace = await import("lambkin:user");
  handler = find(namespace);
  return Object.keys(namespace);
}

// An ES module's exports come first, then those of a CommonJS module, which the bundler makes the default export.
function find(namespace) {
  const main = namespace.default;
  return shape(namespace[handlerName], namespace)
    ?? shape(main?.[handlerName], main)
    ?? shape(main)
    ?? shape(main?.default)
    ?? (typeof namespace.fetch === "function" ? shape(namespace) : undefined);
}

function shape(value, owner) {
  if (typeof value?.fetch === "function") return { kind: "http", call: value.fetch.bind(value) };
  if (typeof value === "function") return { kind: "function", call: value.bind(owner) };
}
