// Node's modules that have no counterpart here: importing one works, using it says what is missing.

class UnsupportedError extends Error {
  constructor(what) {
    super(`${what} is not available on Lambkin's QuickJS`);
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
