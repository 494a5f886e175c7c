// `process`, the environment, and what happens to errors that nobody catches.

import native from "lambkin:native";
import EventEmitter from "node:events";
import { inspect } from "lambkin:inspect";

// Variables that libraries look for while they load, to choose colours or log levels; absent, they change nothing.
const OPTIONAL = /^(NODE_\w*|DEBUG\w*|\w*NO_?COLOR|FORCE_COLOR|COLORTERM|TERM|CI|LOG_LEVEL|TZ|LANG|npm_\w+|__\w*)$/i;

let variables = Object.create(null);

// At build time an instance's environment is not known yet: a module that reads it is evaluated by the first
// invocation instead.
function missing(name) {
  if (native.inSnapshot() && typeof name === "string" && !(name in variables) && !OPTIONAL.test(name)) {
    native.defer(`process.env.${name}`);
  }
}

export const env = new Proxy({}, {
  get(_, name) { missing(name); return variables[name]; },
  has(_, name) { missing(name); return name in variables; },
  set(_, name, value) { variables[name] = String(value); return true; },
  deleteProperty(_, name) { delete variables[name]; return true; },
  ownKeys() { if (native.inSnapshot()) native.defer("process.env"); return Reflect.ownKeys(variables); },
  getOwnPropertyDescriptor(_, name) {
    missing(name);
    if (name in variables) return { value: variables[name], writable: true, enumerable: true, configurable: true };
  },
});

/** Sets the environment of an instance: WASI's own, then `more`, names and values in turn. */
export function setEnvironment(more) {
  for (const list of [native.environment(), more]) {
    for (let i = 0; i < list.length; i += 2) variables[list[i]] = list[i + 1];
  }
}

/** Thrown by `process.exit`: an invocation is not a process. */
class ExitError extends Error {
  constructor(code) {
    super(`process.exit(${code ?? ""}) was called; a handler ends by returning or throwing`);
    this.name = "ExitError";
    this.code = code;
  }
}

function stream(descriptor) {
  return {
    isTTY: false,
    writable: true,
    fd: descriptor,
    write(chunk, encoding, callback) {
      native.write(descriptor, typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk));
      const done = typeof encoding === "function" ? encoding : callback;
      if (done) process.nextTick(done);
      return true;
    },
    end() {}, on() { return this; }, once() { return this; }, off() { return this; }, emit() { return false; },
  };
}

function hrtime(previous) {
  const now = native.monotonic();
  const seconds = Math.floor(now / 1e3), nanos = Math.floor((now % 1e3) * 1e6);
  if (!previous) return [seconds, nanos];
  const rest = nanos - previous[1];
  return rest < 0 ? [seconds - previous[0] - 1, rest + 1e9] : [seconds - previous[0], rest];
}
hrtime.bigint = () => BigInt(Math.floor(native.monotonic() * 1e6));

export const process = Object.assign(new EventEmitter(), {
  env,
  title: "lambkin",
  platform: "linux",
  arch: "wasm32",
  version: "v22.0.0",
  versions: { node: "22.0.0", quickjs: "0.14" },
  release: { name: "node" },
  pid: 1,
  ppid: 0,
  argv: ["node", "bundle.js"],
  execArgv: [],
  execPath: "/usr/bin/node",
  exitCode: undefined,
  features: {},
  stdout: stream(1),
  stderr: stream(2),
  cwd: () => "/",
  chdir() { throw new Error("process.chdir() is not supported"); },
  umask: () => 0o22,
  uptime: () => native.monotonic() / 1e3,
  hrtime,
  memoryUsage: Object.assign(() => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }), { rss: () => 0 }),
  cpuUsage: () => ({ user: Math.floor(native.monotonic() * 1e3), system: 0 }),
  nextTick(callback, ...args) { queueMicrotask(() => callback(...args)); },
  emitWarning(warning) { native.write(2, `${warning?.name ?? "Warning"}: ${warning?.message ?? warning}\n`); },
  exit(code) { throw new ExitError(code); },
  abort() { throw new ExitError(134); },
  kill() { throw new ExitError(137); },
});

let fatal;

/** Says who is told of errors that nobody catches while an invocation runs; undefined: they are only logged. */
export function setFatal(callback) { fatal = callback; }

/** An error thrown by a timer or a microtask. */
export function report(error, name = "uncaughtException") {
  if (process.listenerCount(name) > 0) return void process.emit(name, error);
  native.write(2, `Uncaught ${inspect(error)}\n`);
  fatal?.(error);
}

const rejected = new Map();

/** Called by QuickJS when a promise is rejected with no handler, and again when it gets one. */
export function trackRejection(promise, reason, handled) {
  if (handled) return void rejected.delete(promise);
  if (rejected.size === 0) setTimeout(reportRejections, 0);
  rejected.set(promise, reason);
}

function reportRejections() {
  const reasons = [...rejected.values()];
  rejected.clear();
  for (const reason of reasons) report(reason, "unhandledRejection");
}

let onIdle;

/** Says what to do once when nothing is left to wait for: no timer, no request. */
export function setIdle(callback) { onIdle = callback; }

/** Called by the event loop when nothing is left to wait for; true when there is something to do after all. */
export function idle() {
  const callback = onIdle;
  onIdle = undefined;
  callback?.();
  return callback !== undefined;
}
