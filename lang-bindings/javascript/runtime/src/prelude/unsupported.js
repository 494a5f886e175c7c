// Node's modules that have no counterpart here: importing one works, using it says what is missing.

// What to do instead, by the module's name.
const INSTEAD = [
  [/^node:(net|tls|dgram|dns|http|https|http2)\b/, "use fetch, which reaches the origins that the manifest grants"],
  [/^node:(child_process|cluster|worker_threads)\b/, "an instance is one process and one thread; call another component or function"],
  [/^node:(zlib|punycode|stream|v8|vm)\b/, "use a package in plain JavaScript"],
];

class UnsupportedError extends Error {
  constructor(what) {
    const [, instead] = INSTEAD.find(([pattern]) => pattern.test(what)) ?? [];
    super(`${what} is not available on Lambkin's QuickJS${instead ? `: ${instead}` : ""}`);
    this.name = "UnsupportedError";
    this.code = "ERR_UNSUPPORTED";
  }
}

/** A function that throws when it is called. */
export function refuse(what) {
  return function unsupported() { throw new UnsupportedError(what); };
}

/** A module object whose every member throws when it is called. */
export function refuseModule(name, known = {}) {
  return new Proxy(known, {
    get(target, member) {
      if (member in target || typeof member === "symbol" || member === "then" || member === "__esModule") return target[member];
      return refuse(`${name}.${member}`);
    },
  });
}
