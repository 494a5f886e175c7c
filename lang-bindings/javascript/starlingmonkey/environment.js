// What StarlingMonkey lacks and handlers expect: `process.env` and its kin, and randomness while a module is loaded.

const variables = Object.create(null);
let started = false;

/** Begins an instance's life with its environment, names and values in pairs. */
export function begin(pairs) {
  started = true;
  for (const [name, value] of pairs) variables[name] = value;
}

// The engine may not ask the host for random numbers while the component is built: what loads then gets a sequence
// that is good enough to load with.
const real = Math.random.bind(Math);
let state = 0x2545f491;
Math.random = () => {
  if (started) return real();
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

globalThis.process ??= {
  env: variables,
  argv: ["node", "bundle.js"],
  platform: "linux",
  arch: "wasm32",
  version: "v22.0.0",
  versions: { node: "22.0.0" },
  cwd: () => "/",
  nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
  hrtime: Object.assign(() => {
    const now = performance.now();
    return [Math.floor(now / 1e3), Math.floor((now % 1e3) * 1e6)];
  }, { bigint: () => BigInt(Math.floor(performance.now() * 1e6)) }),
  uptime: () => performance.now() / 1e3,
  exit(code) { throw new Error(`process.exit(${code ?? ""}) was called; a handler ends by returning or throwing`); },
  on() { return this; },
  once() { return this; },
  off() { return this; },
  emitWarning: (warning) => console.warn(String(warning)),
};
globalThis.global ??= globalThis;

/** The environment object that handlers read. */
export const env = variables;

/** The handler among a module's exports, or those of a CommonJS module, which the bundler makes the default export. */
export function find(module, name, isHandler) {
  const main = module.default;
  const candidates = [[module[name], module], [main?.[name], main], [main, undefined], [main?.default, main], [module, undefined]];
  for (const [value, owner] of candidates) {
    if (isHandler(value)) return { value, owner };
  }
  throw new TypeError(`the module exports no handler \`${name}\`; it exports ${Object.keys(module).join(", ") || "nothing"}`);
}
