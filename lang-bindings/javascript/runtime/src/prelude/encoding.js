// `TextEncoder`, `TextDecoder`, `atob` and `btoa`, by https://encoding.spec.whatwg.org/ and the HTML standard.

import native from "lambkin:native";
import { TransformStream } from "lambkin:streams";

const LABELS = {
  "utf-8": "utf-8", utf8: "utf-8", "unicode-1-1-utf-8": "utf-8",
  "utf-16le": "utf-16le", "utf-16": "utf-16le", ucs2: "utf-16le", "ucs-2": "utf-16le",
  latin1: "windows-1252", "iso-8859-1": "windows-1252", ascii: "windows-1252", "us-ascii": "windows-1252", "windows-1252": "windows-1252",
};

/** The bytes of a buffer or a view, without copying. */
export function view(source) {
  if (source instanceof Uint8Array) return source;
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer || source instanceof SharedArrayBuffer) return new Uint8Array(source);
  throw new TypeError("an ArrayBuffer or a view of one is expected");
}

export class TextEncoder {
  get encoding() { return "utf-8"; }
  encode(text = "") { return native.utf8Encode(String(text).toWellFormed()); }

  encodeInto(text, target) {
    let read = 0, written = 0;
    for (const letter of String(text).toWellFormed()) {
      const bytes = native.utf8Encode(letter);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += letter.length;
    }
    return { read, written };
  }
}

// How many bytes at the end begin a character that is not complete.
function incomplete(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

export class TextDecoder {
  #encoding; #fatal; #ignoreBOM; #rest = new Uint8Array(0); #begun = false;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    this.#encoding = LABELS[String(label).trim().toLowerCase()];
    if (!this.#encoding) throw new RangeError(`The "${label}" encoding is not supported`);
    this.#fatal = Boolean(fatal);
    this.#ignoreBOM = Boolean(ignoreBOM);
  }

  get encoding() { return this.#encoding; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }

  decode(source, { stream = false } = {}) {
    let bytes = source === undefined ? new Uint8Array(0) : view(source);
    if (this.#rest.length > 0) {
      const all = new Uint8Array(this.#rest.length + bytes.length);
      all.set(this.#rest);
      all.set(bytes, this.#rest.length);
      bytes = all;
    }
    const keep = !stream ? 0 : this.#encoding === "utf-8" ? incomplete(bytes) : this.#encoding === "utf-16le" ? bytes.length % 2 : 0;
    this.#rest = bytes.slice(bytes.length - keep);
    let text = this.#convert(keep === 0 ? bytes : bytes.subarray(0, bytes.length - keep));
    if (!this.#begun && !this.#ignoreBOM && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    this.#begun = stream && (this.#begun || text.length > 0);
    return text;
  }

  #convert(bytes) {
    if (this.#encoding === "utf-8") return native.utf8Decode(bytes, this.#fatal);
    if (this.#encoding === "windows-1252") return native.latin1Decode(bytes);
    let text = "";
    for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
    return text.toWellFormed();
  }
}

export class TextEncoderStream extends TransformStream {
  constructor() {
    const encoder = new TextEncoder();
    super({ transform: (chunk, controller) => controller.enqueue(encoder.encode(chunk)) });
    this.encoding = "utf-8";
  }
}

export class TextDecoderStream extends TransformStream {
  constructor(label, options) {
    const decoder = new TextDecoder(label, options);
    const emit = (text, controller) => { if (text) controller.enqueue(text); };
    super({
      transform: (chunk, controller) => emit(decoder.decode(chunk, { stream: true }), controller),
      flush: (controller) => emit(decoder.decode(), controller),
    });
    this.encoding = decoder.encoding;
  }
}

const invalid = (message) => new DOMException(message, "InvalidCharacterError");

/** The bytes of a string whose characters are all below 256. */
export function latin1Bytes(text) {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function btoa(data) {
  const text = String(data);
  if (/[^\0-\xff]/.test(text)) throw invalid("Invalid character");
  return native.base64Encode(latin1Bytes(text), false);
}

export function atob(data) {
  const text = String(data).replace(/[\t\n\f\r ]+/g, "");
  const valid = /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.replace(/=+$/, "").length % 4 !== 1;
  const bytes = valid ? native.base64Decode(text) : null;
  if (!bytes) throw invalid("The string to be decoded is not correctly encoded.");
  return native.latin1Decode(bytes);
}
