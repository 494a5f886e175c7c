// `structuredClone`, by https://html.spec.whatwg.org/#structuredserializeinternal

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

export function structuredClone(value, options = {}) {
  const transferred = options.transfer ?? [];
  return copy(value, new Map(transferred.map((buffer) => [buffer, buffer])));
}

function copy(value, seen) {
  if (typeof value === "symbol" || typeof value === "function") {
    throw new DOMException(`${String(value)} could not be cloned.`, "DataCloneError");
  }
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (made) => (seen.set(value, made), made);
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof Boolean || value instanceof Number || value instanceof String) return keep(Object(value.valueOf()));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) return keep(view(value, seen));
  if (value instanceof Error) return error(value, seen, keep);
  if (value instanceof Map) {
    const map = keep(new Map());
    for (const [key, item] of [...value]) map.set(copy(key, seen), copy(item, seen));
    return map;
  }
  if (value instanceof Set) {
    const set = keep(new Set());
    for (const item of [...value]) set.add(copy(item, seen));
    return set;
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) {
    throw new DOMException(`${Object.prototype.toString.call(value)} could not be cloned.`, "DataCloneError");
  }
  const made = keep(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value)) made[key] = copy(value[key], seen);
  return made;
}

function view(value, seen) {
  const Type = globalThis[Object.prototype.toString.call(value).slice(8, -1)];
  const length = value instanceof DataView ? value.byteLength : value.length;
  return new Type(copy(value.buffer, seen), value.byteOffset, length);
}

function error(value, seen, keep) {
  const Type = ERRORS[value.name] ?? Error;
  const made = keep(new Type(value.message));
  if ("cause" in value) made.cause = copy(value.cause, seen);
  Object.defineProperty(made, "stack", { value: value.stack, writable: true, configurable: true });
  return made;
}
