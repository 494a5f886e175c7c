// Loads the user's module, at build time or in the invocation, and finds its handler.

import { setEnvironment, watch } from "./environment.js";
import { settings } from "./stack.js";

/** What serves invocations: `value` and the object it is a method of. */
let found;

/** Loads the module for the snapshot, unless it needs what only an invocation has. */
export async function load(isHandler) {
  if (settings.deferred) return;
  const { loaded, needs } = await watch(() => import("lambkin-user"));
  // The build is told by a failure: it has no other way to hear from the engine.
  if (needs.length > 0) throw new Error(`lambkin-needs<${needs.join(", ")}>`);
  found = find(loaded, isHandler);
}

/** Begins an instance's life with its environment, names and values in pairs; its handler. */
export async function begin(pairs, isHandler) {
  setEnvironment(pairs);
  found ??= find(await import("lambkin-user"), isHandler);
  return found;
}

// An ES module's exports come first, then those of a CommonJS module, which the bundler makes the default export.
function find(module, isHandler) {
  const name = settings.handler, main = module.default;
  const candidates = [[module[name], module], [main?.[name], main], [main, undefined], [main?.default, main], [module, undefined]];
  for (const [value, owner] of candidates) {
    if (isHandler(value)) return { value, owner };
  }
  throw new TypeError(`the module exports no handler \`${name}\`; it exports ${Object.keys(module).join(", ") || "nothing"}`);
}
