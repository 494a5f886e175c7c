// `node:buffer`: the `Buffer` that Node programs use for bytes.

import native from "lambkin:native";
import { atob, btoa, latin1Bytes, view } from "lambkin:encoding";
import { custom } from "lambkin:inspect";
import { defineNumbers } from "lambkin:numbers";

const ENCODINGS = {
  utf8: "utf8", "utf-8": "utf8", hex: "hex", base64: "base64", base64url: "base64url", ascii: "latin1", latin1: "latin1",
  binary: "latin1", ucs2: "utf16le", "ucs-2": "utf16le", utf16le: "utf16le", "utf-16le": "utf16le",
};

function known(encoding = "utf8") {
  const name = ENCODINGS[String(encoding).toLowerCase()];
  if (!name) throw Object.assign(new TypeError(`Unknown encoding: ${encoding}`), { code: "ERR_UNKNOWN_ENCODING" });
  return name;
}

function encode(text, encoding) {
  switch (known(encoding)) {
    case "hex": {
      const pairs = text.match(/^(?:[0-9a-f]{2})*/i)[0];
      return Uint8Array.from({ length: pairs.length / 2 }, (_, i) => Number.parseInt(pairs.slice(i * 2, i * 2 + 2), 16));
    }
    case "base64":
    case "base64url": return decodeBase64(text);
    case "latin1": return latin1Bytes(text);
    case "utf16le": {
      const bytes = new Uint8Array(text.length * 2);
      for (let i = 0; i < text.length; i++) {
        bytes[2 * i] = text.charCodeAt(i);
        bytes[2 * i + 1] = text.charCodeAt(i) >> 8;
      }
      return bytes;
    }
    default: return native.utf8Encode(text.toWellFormed());
  }
}

// Node ignores what is not of the alphabet, ends at the first "=", and drops a last letter that stands alone.
function decodeBase64(text) {
  const clean = text.replace(/=[^]*$/, "").replace(/[^A-Za-z0-9+/_-]/g, "");
  return native.base64Decode(clean.length % 4 === 1 ? clean.slice(0, -1) : clean) ?? new Uint8Array(0);
}

function decode(bytes, encoding) {
  switch (known(encoding)) {
    case "hex": return native.hexEncode(bytes);
    case "base64": return native.base64Encode(bytes, false);
    case "base64url": return native.base64Encode(bytes, true);
    case "latin1": return native.latin1Decode(String(encoding).toLowerCase() === "ascii" ? bytes.map((byte) => byte & 0x7f) : bytes);
    case "utf16le": return new TextDecoder("utf-16le", { ignoreBOM: true }).decode(bytes);
    default: return native.utf8Decode(bytes, false);
  }
}

const adopt = (bytes) => new Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class Buffer extends Uint8Array {
  static poolSize = 8192;

  static from(value, second, third) {
    if (typeof value === "string") return adopt(encode(value, second));
    if (value instanceof ArrayBuffer) return new Buffer(value, second, third);
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return adopt(Uint8Array.from(value));
    if (value?.type === "Buffer" && Array.isArray(value.data)) return adopt(Uint8Array.from(value.data));
    const primitive = value?.valueOf?.();
    if (primitive !== value && primitive !== undefined && primitive !== null) return Buffer.from(primitive, second, third);
    if (typeof value === "object" && value !== null && typeof value.length === "number") return adopt(Uint8Array.from(Array.from(value)));
    throw new TypeError(`The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array. Received ${value}`);
  }

  static of(...bytes) { return adopt(Uint8Array.of(...bytes)); }

  static alloc(size, fill = 0, encoding = "utf8") {
    const buffer = new Buffer(size);
    return fill === 0 ? buffer : buffer.fill(fill, 0, size, encoding);
  }

  static allocUnsafe(size) { return new Buffer(size); }
  static allocUnsafeSlow(size) { return new Buffer(size); }
  static isBuffer(value) { return value instanceof Buffer; }
  static isEncoding(encoding) { return String(encoding).toLowerCase() in ENCODINGS; }
  static byteLength(value, encoding) { return typeof value === "string" ? encode(value, encoding).length : value.byteLength; }
  static compare(one, two) { return Buffer.prototype.compare.call(one, two); }

  static concat(list, total = list.reduce((sum, part) => sum + part.length, 0)) {
    const all = new Buffer(total);
    let offset = 0;
    for (const part of list) {
      const rest = part.length > total - offset ? part.subarray(0, total - offset) : part;
      all.set(rest, offset);
      offset += rest.length;
    }
    return all;
  }

  get parent() { return this.buffer; }
  get offset() { return this.byteOffset; }
  get [Symbol.toStringTag]() { return "Uint8Array"; }

  toString(encoding, start = 0, end = this.length) {
    const part = start === 0 && end >= this.length ? this : this.subarray(Math.max(start, 0), Math.max(end, 0));
    return decode(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), encoding);
  }

  toLocaleString(encoding) { return this.toString(encoding); }
  toJSON() { return { type: "Buffer", data: Array.from(this) }; }

  // Node's `slice` shares memory, unlike that of other typed arrays.
  slice(start, end) { return this.subarray(start, end); }
  subarray(start, end) { return adopt(super.subarray(start, end)); }

  equals(other) { return this.compare(other) === 0; }

  compare(target, targetStart = 0, targetEnd = target.length, start = 0, end = this.length) {
    const one = this.subarray(start, end), two = target.subarray(targetStart, targetEnd);
    for (let i = 0; i < Math.min(one.length, two.length); i++) {
      if (one[i] !== two[i]) return one[i] < two[i] ? -1 : 1;
    }
    return Math.sign(one.length - two.length);
  }

  copy(target, targetStart = 0, start = 0, end = this.length) {
    const part = this.subarray(start, Math.min(end, start + target.length - targetStart));
    target.set(part, targetStart);
    return part.length;
  }

  write(text, offset = 0, length = this.length - offset, encoding = "utf8") {
    if (typeof offset === "string") return this.write(text, 0, this.length, offset);
    if (typeof length === "string") return this.write(text, offset, this.length - offset, length);
    const bytes = encode(text, encoding).subarray(0, Math.min(length, this.length - offset));
    this.set(bytes, offset);
    return bytes.length;
  }

  fill(value, start = 0, end = this.length, encoding = "utf8") {
    if (typeof start === "string") return this.fill(value, 0, this.length, start);
    if (typeof value === "number") return super.fill(value & 255, start, end);
    const bytes = typeof value === "string" ? encode(value, encoding) : view(value);
    if (bytes.length === 0) return super.fill(0, start, end);
    for (let i = start; i < end; i++) this[i] = bytes[(i - start) % bytes.length];
    return this;
  }

  indexOf(value, from = 0, encoding = "utf8") {
    if (typeof value === "number") return super.indexOf(value & 255, from);
    const wanted = typeof value === "string" ? encode(value, typeof from === "string" ? from : encoding) : view(value);
    const first = typeof from === "number" ? (from < 0 ? Math.max(this.length + from, 0) : from) : 0;
    for (let at = first; at <= this.length - wanted.length; at++) {
      if (wanted.every((byte, i) => this[at + i] === byte)) return at;
    }
    return -1;
  }

  includes(value, from, encoding) { return this.indexOf(value, from, encoding) >= 0; }

  lastIndexOf(value, from, encoding = "utf8") {
    if (typeof value === "number") return super.lastIndexOf(value & 255, from ?? this.length);
    const wanted = typeof value === "string" ? encode(value, encoding) : view(value);
    for (let at = Math.min(from ?? this.length, this.length - wanted.length); at >= 0; at--) {
      if (wanted.every((byte, i) => this[at + i] === byte)) return at;
    }
    return -1;
  }

  [custom]() {
    const hex = native.hexEncode(new Uint8Array(this.subarray(0, 50))).match(/../g)?.join(" ") ?? "";
    return `<Buffer${hex && ` ${hex}`}${this.length > 50 ? ` ... ${this.length - 50} more bytes` : ""}>`;
  }
}

defineNumbers(Buffer.prototype);

export const kMaxLength = 2 ** 31 - 1;
export const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: 2 ** 29 - 24 };
export const INSPECT_MAX_BYTES = 50;
export const SlowBuffer = Buffer;
export const isUtf8 = (bytes) => {
  try {
    native.utf8Decode(view(bytes), true);
    return true;
  } catch {
    return false;
  }
};
export const isAscii = (bytes) => view(bytes).every((byte) => byte < 128);
export const transcode = (bytes, from, to) => Buffer.from(Buffer.from(bytes).toString(from), to);
export { Blob, File } from "lambkin:form";
export { atob, btoa };

export default { Buffer, SlowBuffer, kMaxLength, constants, INSPECT_MAX_BYTES, isUtf8, isAscii, transcode, atob, btoa };
