// `Headers`, by https://fetch.spec.whatwg.org/#headers-class

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function normalizeName(name) {
  name = String(name);
  if (!TOKEN.test(name)) throw new TypeError(`Header name must be a valid HTTP token ["${name}"]`);
  return name.toLowerCase();
}

function normalizeValue(value) {
  value = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (/[\0\r\n]/.test(value) || /[^\0-\xff]/.test(value)) throw new TypeError(`Header value is not valid: "${value}"`);
  return value;
}

export class Headers {
  // Lower-case name to the values it was given.
  #map = new Map();

  constructor(init) {
    if (init === undefined || init === null) return;
    if (init instanceof Headers) {
      this.#map = new Map(Array.from(init.#map, ([name, values]) => [name, [...values]]));
      return;
    }
    if (typeof init !== "object") throw new TypeError("Headers expects an object or a sequence of pairs");
    const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
    for (const pair of pairs) {
      const [name, value, ...more] = pair;
      if (value === undefined && typeof init[Symbol.iterator] === "function" || more.length > 0) {
        throw new TypeError("Each header is a name and a value");
      }
      this.append(name, value);
    }
  }

  append(name, value) {
    const key = normalizeName(name);
    const values = this.#map.get(key);
    if (values) values.push(normalizeValue(value));
    else this.#map.set(key, [normalizeValue(value)]);
  }

  set(name, value) { this.#map.set(normalizeName(name), [normalizeValue(value)]); }
  delete(name) { this.#map.delete(normalizeName(name)); }
  has(name) { return this.#map.has(normalizeName(name)); }
  get(name) { return this.#map.get(normalizeName(name))?.join(", ") ?? null; }
  getSetCookie() { return [...(this.#map.get("set-cookie") ?? [])]; }

  forEach(callback, self) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  *entries() {
    for (const name of [...this.#map.keys()].sort()) {
      const values = this.#map.get(name);
      if (name === "set-cookie") for (const value of values) yield [name, value];
      else yield [name, values.join(", ")];
    }
  }

  /** Names and values in turn, each value as it was appended: what goes over the wire. */
  _lines() {
    return [...this.#map].flatMap(([name, values]) => values.flatMap((value) => [name, value]));
  }

  *keys() { for (const [name] of this.entries()) yield name; }
  *values() { for (const [, value] of this.entries()) yield value; }
  [Symbol.iterator]() { return this.entries(); }
  toJSON() { return Object.fromEntries(this); }
  get [Symbol.toStringTag]() { return "Headers"; }
}
