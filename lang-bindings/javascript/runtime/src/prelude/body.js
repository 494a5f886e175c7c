// Bodies of requests and responses: text, bytes, streams and forms, by https://fetch.spec.whatwg.org/#bodyinit-unions

import native from "lambkin:native";
import { ReadableStream } from "lambkin:streams";
import { URLSearchParams } from "lambkin:url";
import { Blob, FormData, parseForm, serializeForm } from "lambkin:form";

const CONTENT = Symbol("content");

/** The content of a request or response: `{ bytes?(), stream, type }`, or null. */
export const contentOf = (message) => message[CONTENT];

/** The body that a handle of Rust's reads. */
export function fromHandle(handle) {
  return new ReadableStream({
    async pull(controller) {
      const chunk = await native.read(handle).catch((error) => { throw new TypeError(`the body was cut short: ${error}`); });
      if (chunk === null) controller.close();
      else controller.enqueue(chunk);
    },
    cancel() { native.closeReader(handle); },
  }, { highWaterMark: 0 });
}

/** The stream of a content; it is made when first asked for. */
export function bodyStream(content) {
  content.stream ??= new ReadableStream({
    start(controller) {
      const bytes = content.bytes();
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
  content.bytes = undefined;
  return content.stream;
}

function extract(body) {
  const fixed = (bytes, type) => ({ bytes: () => bytes, stream: undefined, type });
  if (body === null || body === undefined) return null;
  if (body instanceof ReadableStream) return { bytes: undefined, stream: body, type: null };
  if (body instanceof ArrayBuffer) return fixed(new Uint8Array(body.slice(0)), null);
  if (ArrayBuffer.isView(body)) return fixed(new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice(), null);
  if (body instanceof URLSearchParams) {
    return fixed(native.utf8Encode(String(body)), "application/x-www-form-urlencoded;charset=UTF-8");
  }
  if (body instanceof Blob) return fixed(body.content, body.type || null);
  if (body instanceof FormData) return fixed(...serializeForm(body));
  if (typeof body?.[Symbol.asyncIterator] === "function") {
    return { bytes: undefined, stream: ReadableStream.from(body), type: null };
  }
  return fixed(native.utf8Encode(String(body).toWellFormed()), "text/plain;charset=UTF-8");
}

/** Puts `chunks` into one array. */
export function concat(chunks) {
  if (chunks.length === 1) return chunks[0];
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}

/** What `Request` and `Response` share. */
export class Body {
  [CONTENT] = null;
  #used = false;

  /** Takes `body` as the content and returns the content type it implies. */
  _setBody(body) {
    this[CONTENT] = extract(body);
    return this[CONTENT]?.type ?? null;
  }

  get body() { return this[CONTENT] && bodyStream(this[CONTENT]); }
  get bodyUsed() { return this.#used || this[CONTENT]?.stream?._disturbed === true; }

  async bytes() {
    if (this.bodyUsed) throw new TypeError("Body is unusable: Body has already been read");
    const content = this[CONTENT];
    if (content === null) return new Uint8Array(0);
    this.#used = true;
    if (content.bytes) return content.bytes();
    if (content.stream.locked) throw new TypeError("Body is unusable: the stream is locked");
    const chunks = [];
    for await (const chunk of content.stream) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a body's stream yields Uint8Array only");
      chunks.push(chunk);
    }
    return concat(chunks);
  }

  async arrayBuffer() {
    const bytes = await this.bytes();
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  }

  async text() {
    const bytes = await this.bytes();
    const text = native.utf8Decode(bytes, false);
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  async json() { return JSON.parse(await this.text()); }
  async blob() { return new Blob([await this.bytes()], { type: this.headers.get("content-type") ?? "" }); }
  async formData() { return parseForm(await this.bytes(), this.headers.get("content-type") ?? ""); }

  /** Splits the content in two, for `clone`. */
  _cloneInto(copy) {
    if (this.bodyUsed) throw new TypeError("Body has already been read");
    const content = this[CONTENT];
    if (content === null) return copy;
    if (content.bytes) {
      copy[CONTENT] = { ...content };
    } else {
      const [one, two] = content.stream.tee();
      this[CONTENT] = { ...content, stream: one };
      copy[CONTENT] = { ...content, stream: two };
    }
    return copy;
  }
}
