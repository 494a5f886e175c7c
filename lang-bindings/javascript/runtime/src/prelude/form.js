// `Blob`, `File` and `FormData`, and the two encodings of forms.

import native from "lambkin:native";
import { ReadableStream } from "lambkin:streams";
import { URLSearchParams } from "lambkin:url";
import { view } from "lambkin:encoding";
import { concat } from "lambkin:body";
import { randomUUID } from "lambkin:crypto";

export class Blob {
  constructor(parts = [], { type = "" } = {}) {
    const chunks = Array.from(parts, (part) => {
      if (part instanceof Blob) return part.content;
      if (typeof part === "object" && part !== null) return view(part).slice();
      return native.utf8Encode(String(part).toWellFormed());
    });
    Object.defineProperty(this, "content", { value: concat(chunks) });
    Object.defineProperty(this, "type", { value: String(type).toLowerCase(), enumerable: true });
  }

  get size() { return this.content.length; }
  async bytes() { return this.content.slice(); }
  async arrayBuffer() { return this.content.slice().buffer; }
  async text() { return native.utf8Decode(this.content, false); }
  stream() { return ReadableStream.from([this.content.slice()]); }
  slice(start, end, type) { return new Blob([this.content.slice(start, end)], { type }); }
}

export class File extends Blob {
  constructor(parts, name, { type, lastModified = Date.now() } = {}) {
    super(parts, { type });
    this.name = String(name);
    this.lastModified = lastModified;
  }
}

const entry = (value, name) => {
  if (!(value instanceof Blob)) return String(value);
  return value instanceof File && name === undefined ? value : new File([value], name ?? value.name ?? "blob", { type: value.type });
};

export class FormData {
  #list = [];
  append(name, value, filename) { this.#list.push([String(name), entry(value, filename)]); }
  delete(name) { this.#list = this.#list.filter(([key]) => key !== String(name)); }
  get(name) { return this.#list.find(([key]) => key === String(name))?.[1] ?? null; }
  getAll(name) { return this.#list.filter(([key]) => key === String(name)).map(([, value]) => value); }
  has(name) { return this.#list.some(([key]) => key === String(name)); }

  set(name, value, filename) {
    const first = this.#list.find(([key]) => key === String(name));
    if (!first) return this.append(name, value, filename);
    first[1] = entry(value, filename);
    this.#list = this.#list.filter((pair) => pair === first || pair[0] !== String(name));
  }

  forEach(callback, self) { for (const [name, value] of this) callback.call(self, value, name, this); }
  *entries() { yield* this.#list; }
  *keys() { for (const [name] of this.#list) yield name; }
  *values() { for (const [, value] of this.#list) yield value; }
  [Symbol.iterator]() { return this.entries(); }
}

const quoteName = (name) => name.replaceAll('"', "%22").replaceAll("\r\n", "%0D%0A").replaceAll("\n", "%0A");

/** The bytes of a form and their content type. */
export function serializeForm(form) {
  const boundary = `----lambkin${randomUUID().replaceAll("-", "")}`;
  const chunks = [];
  for (const [name, value] of form) {
    const file = value instanceof Blob ? `; filename="${quoteName(value.name)}"\r\nContent-Type: ${value.type || "application/octet-stream"}` : "";
    chunks.push(native.utf8Encode(`--${boundary}\r\nContent-Disposition: form-data; name="${quoteName(name)}"${file}\r\n\r\n`));
    chunks.push(value instanceof Blob ? value.content : native.utf8Encode(value.toWellFormed()));
    chunks.push(native.utf8Encode("\r\n"));
  }
  chunks.push(native.utf8Encode(`--${boundary}--\r\n`));
  return [concat(chunks), `multipart/form-data; boundary=${boundary}`];
}

/** Reads a form out of a body. */
export function parseForm(bytes, type) {
  const form = new FormData();
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    for (const [name, value] of new URLSearchParams(native.utf8Decode(bytes, false))) form.append(name, value);
    return form;
  }
  const boundary = /^multipart\/form-data\b.*\bboundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  if (!boundary) throw new TypeError(`a form is not expected in a body of type "${type}"`);
  // Latin-1 keeps one character a byte, so that positions in the text are positions in the bytes.
  const text = native.latin1Decode(bytes);
  const mark = `--${boundary[1] ?? boundary[2]}`;
  let at = text.indexOf(mark);
  while (at >= 0) {
    const start = at + mark.length;
    if (text.startsWith("--", start)) return form;
    const next = text.indexOf(`\r\n${mark}`, start);
    const blank = text.indexOf("\r\n\r\n", start);
    if (next < 0 || blank < 0 || blank > next) break;
    appendPart(form, native.utf8Decode(bytes.subarray(start, blank), false), bytes.slice(blank + 4, next));
    at = next + 2;
  }
  throw new TypeError("the multipart body is malformed");
}

function appendPart(form, head, content) {
  const name = /;\s*name="([^"]*)"/i.exec(head)?.[1];
  if (name === undefined) throw new TypeError("a part of the multipart body has no name");
  const decode = (text) => text.replaceAll("%22", '"').replaceAll("%0D%0A", "\r\n").replaceAll("%0A", "\n");
  const filename = /;\s*filename="([^"]*)"/i.exec(head)?.[1];
  if (filename === undefined) return form.append(decode(name), native.utf8Decode(content, false));
  const type = /^content-type:\s*(.+)$/im.exec(head)?.[1].trim() ?? "text/plain";
  form.append(decode(name), new File([content], decode(filename), { type }));
}
