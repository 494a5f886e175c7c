// What StarlingMonkey lacks and handlers expect, `process` above all, and what a module may not see while it is loaded
// for the snapshot: an instance's time, randomness and environment.

const variables = Object.create(null);
const needs = new Set();
let loading = false;

// Variables that libraries look for while they load, to choose colours or log levels; absent, they change nothing.
const OPTIONAL = /^(NODE_\w*|DEBUG\w*|\w*NO_?COLOR|FORCE_COLOR|COLORTERM|TERM|CI|LOG_LEVEL|TZ|LANG|npm_\w+|__\w*)$/i;

function missing(name) {
  if (loading && typeof name === "string" && !(name in variables) && !OPTIONAL.test(name)) needs.add(`process.env.${name}`);
}

/** The environment object that handlers read. */
export const env = new Proxy({}, {
  get(_, name) { missing(name); return variables[name]; },
  has(_, name) { missing(name); return name in variables; },
  set(_, name, value) { variables[name] = String(value); return true; },
  deleteProperty(_, name) { delete variables[name]; return true; },
  ownKeys() { if (loading) needs.add("process.env"); return Reflect.ownKeys(variables); },
  getOwnPropertyDescriptor(_, name) {
    missing(name);
    if (name in variables) return { value: variables[name], writable: true, enumerable: true, configurable: true };
  },
});

/** Begins an instance's life with its environment, names and values in pairs. */
export function setEnvironment(pairs) {
  for (const [name, value] of pairs) variables[name] = value;
}

// The engine ends the build when it is asked for random bytes: what loads gets a sequence to load with.
let state = 0x2545f491;
function pseudoRandom() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** Runs `load` for the snapshot; says what it asked for that only an invocation has. */
export async function watch(load) {
  const note = (what, value) => { needs.add(what); return value(); };
  const { random } = Math, RealDate = Date, { now } = Date;
  const crypto = Object.getPrototypeOf(globalThis.crypto), { getRandomValues, randomUUID } = crypto;
  Math.random = () => note("Math.random", pseudoRandom);
  RealDate.now = () => note("the time", () => 0);
  globalThis.Date = new Proxy(RealDate, {
    apply: () => note("the time", () => new RealDate(0).toString()),
    construct: (target, args, to) => Reflect.construct(target, args.length > 0 ? args : [note("the time", () => 0)], to === globalThis.Date ? target : to),
  });
  crypto.getRandomValues = (array) => note("crypto.getRandomValues", () => new Uint8Array(array.buffer, array.byteOffset, array.byteLength).fill(7) && array);
  crypto.randomUUID = () => note("crypto.randomUUID", () => "00000000-0000-4000-8000-000000000000");
  loading = true;
  try {
    return { loaded: await load(), needs: [...needs] };
  } catch (error) {
    if (needs.size === 0) throw error;
    return { needs: [...needs] };
  } finally {
    loading = false;
    Object.assign(Math, { random });
    Object.assign(RealDate, { now });
    Object.assign(crypto, { getRandomValues, randomUUID });
    globalThis.Date = RealDate;
  }
}

globalThis.process ??= {
  env,
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
