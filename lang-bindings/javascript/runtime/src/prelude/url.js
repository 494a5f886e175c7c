// `URL` and `URLSearchParams`, by https://url.spec.whatwg.org/; the parser is Rust's.

import native from "lambkin:native";

// The order of the parts that Rust gives.
const HREF = 0, PROTOCOL = 1, USERNAME = 2, PASSWORD = 3, HOST = 4, HOSTNAME = 5, PORT = 6, PATHNAME = 7, SEARCH = 8, HASH = 9, ORIGIN = 10;

export class URL {
  #parts; #params;

  constructor(url, base) {
    const parts = native.parseUrl(String(url).toWellFormed(), base === undefined ? undefined : String(base).toWellFormed());
    if (!parts) {
      throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL", input: String(url) });
    }
    this.#parts = parts;
  }

  static canParse(url, base) { return URL.parse(url, base) !== null; }

  static parse(url, base) {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  #set(part, value) {
    const parts = native.setUrlPart(this.#parts[HREF], part, String(value).toWellFormed());
    if (!parts) throw new TypeError("Invalid URL");
    this.#parts = parts;
    if (part === "href" || part === "search") this.#params?._reset(this.#parts[SEARCH]);
  }

  get href() { return this.#parts[HREF]; }
  set href(value) { this.#set("href", value); }
  get origin() { return this.#parts[ORIGIN]; }
  get protocol() { return this.#parts[PROTOCOL]; }
  set protocol(value) { this.#set("protocol", value); }
  get username() { return this.#parts[USERNAME]; }
  set username(value) { this.#set("username", value); }
  get password() { return this.#parts[PASSWORD]; }
  set password(value) { this.#set("password", value); }
  get host() { return this.#parts[HOST]; }
  set host(value) { this.#set("host", value); }
  get hostname() { return this.#parts[HOSTNAME]; }
  set hostname(value) { this.#set("hostname", value); }
  get port() { return this.#parts[PORT]; }
  set port(value) { this.#set("port", value); }
  get pathname() { return this.#parts[PATHNAME]; }
  set pathname(value) { this.#set("pathname", value); }
  get search() { return this.#parts[SEARCH]; }
  set search(value) { this.#set("search", value); }
  get hash() { return this.#parts[HASH]; }
  set hash(value) { this.#set("hash", value); }

  get searchParams() {
    this.#params ??= new URLSearchParams(this.search)._tie((query) => {
      this.#parts = native.setUrlPart(this.#parts[HREF], "search", query);
    });
    return this.#params;
  }

  toString() { return this.href; }
  toJSON() { return this.href; }
  get [Symbol.toStringTag]() { return "URL"; }
}

function decode(text) {
  text = text.replaceAll("+", " ");
  if (!text.includes("%")) return text;
  const bytes = [];
  const raw = native.utf8Encode(text.toWellFormed());
  for (let i = 0; i < raw.length; i++) {
    const value = raw[i] === 0x25 ? Number.parseInt(hexPair(raw, i), 16) : NaN;
    bytes.push(Number.isNaN(value) ? raw[i] : value);
    if (!Number.isNaN(value)) i += 2;
  }
  return native.utf8Decode(Uint8Array.from(bytes), false);
}

function hexPair(raw, at) {
  const pair = String.fromCharCode(raw[at + 1] ?? 0, raw[at + 2] ?? 0);
  return /^[0-9a-f]{2}$/i.test(pair) ? pair : "none";
}

// application/x-www-form-urlencoded keeps letters, digits and *-._ as they are.
function encode(text) {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}

export class URLSearchParams {
  #list = []; #changed;

  constructor(init = "") {
    if (typeof init === "object" && init !== null) {
      const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
      for (const pair of pairs) {
        const [name, value, ...more] = pair;
        if (value === undefined || more.length > 0) throw new TypeError("Each query pair must be an iterable [name, value] tuple");
        this.#list.push([String(name), String(value)]);
      }
    } else {
      this._reset(String(init));
    }
  }

  _reset(query) {
    const pairs = query.replace(/^\?/, "").split("&").filter(Boolean);
    this.#list = pairs.map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [decode(pair), ""] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
    });
  }

  _tie(changed) {
    this.#changed = changed;
    return this;
  }

  #update() { this.#changed?.(this.toString()); }

  get size() { return this.#list.length; }

  append(name, value) {
    this.#list.push([String(name), String(value)]);
    this.#update();
  }

  delete(name, value) {
    const same = ([key, known]) => key === String(name) && (value === undefined || known === String(value));
    this.#list = this.#list.filter((pair) => !same(pair));
    this.#update();
  }

  get(name) { return this.#list.find(([key]) => key === String(name))?.[1] ?? null; }
  getAll(name) { return this.#list.filter(([key]) => key === String(name)).map(([, value]) => value); }

  has(name, value) {
    return this.#list.some(([key, known]) => key === String(name) && (value === undefined || known === String(value)));
  }

  set(name, value) {
    const first = this.#list.find(([key]) => key === String(name));
    if (!first) return this.append(name, value);
    first[1] = String(value);
    this.#list = this.#list.filter((pair) => pair === first || pair[0] !== String(name));
    this.#update();
  }

  sort() {
    this.#list.sort(([one], [two]) => (one < two ? -1 : one > two ? 1 : 0));
    this.#update();
  }

  forEach(callback, self) { for (const [name, value] of this) callback.call(self, value, name, this); }
  *entries() { for (const [name, value] of this.#list) yield [name, value]; }
  *keys() { for (const [name] of this.#list) yield name; }
  *values() { for (const [, value] of this.#list) yield value; }
  [Symbol.iterator]() { return this.entries(); }
  toString() { return this.#list.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&"); }
  get [Symbol.toStringTag]() { return "URLSearchParams"; }
}
