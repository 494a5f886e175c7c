// `fetch`, `Request` and `Response`, by https://fetch.spec.whatwg.org/

import native from "lambkin:native";
import { Body, contentOf, fromHandle } from "lambkin:body";
import { Headers } from "lambkin:headers";
import { AbortSignal, DOMException } from "lambkin:events";
import { URL } from "lambkin:url";

const NORMALIZED = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);
const NULL_BODY = new Set([101, 204, 205, 304]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 20;

export class Request extends Body {
  #url; #method; #headers; #redirect; #signal;

  constructor(input, init = {}) {
    super();
    const from = input instanceof Request ? input : undefined;
    const url = new URL(from ? from.url : String(input));
    if (url.username || url.password) throw new TypeError(`Request cannot be made from a URL with credentials: ${url}`);
    const method = String(init.method ?? from?.method ?? "GET");
    this.#url = url.href;
    this.#method = NORMALIZED.has(method.toUpperCase()) ? method.toUpperCase() : method;
    this.#headers = new Headers(init.headers ?? from?.headers);
    this.#redirect = init.redirect ?? from?.redirect ?? "follow";
    this.#signal = init.signal ?? from?.signal ?? new AbortSignal(true);
    const hasBody = init.body !== undefined && init.body !== null;
    if (hasBody && (this.#method === "GET" || this.#method === "HEAD")) {
      throw new TypeError("Request with GET/HEAD method cannot have body");
    }
    if (hasBody) {
      const type = this._setBody(init.body);
      if (type && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
    } else if (from && contentOf(from)) {
      from._cloneInto(this);
    }
  }

  get url() { return this.#url; }
  get method() { return this.#method; }
  get headers() { return this.#headers; }
  get redirect() { return this.#redirect; }
  get signal() { return this.#signal; }
  get cache() { return "default"; }
  get credentials() { return "same-origin"; }
  get destination() { return ""; }
  get duplex() { return "half"; }
  get integrity() { return ""; }
  get keepalive() { return false; }
  get mode() { return "cors"; }
  get referrer() { return "about:client"; }

  clone() {
    const copy = new Request(this.#url, {
      method: this.#method, headers: this.#headers, redirect: this.#redirect, signal: this.#signal,
    });
    return this._cloneInto(copy);
  }

  get [Symbol.toStringTag]() { return "Request"; }
}

export class Response extends Body {
  #status; #statusText; #headers; #type = "default"; #url = ""; #redirected = false;

  constructor(body = null, init = {}) {
    super();
    const status = init.status === undefined ? 200 : Number(init.status);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError(`init["status"] must be in the range of 200 to 599, inclusive.`);
    }
    this.#status = status;
    this.#statusText = String(init.statusText ?? "");
    this.#headers = new Headers(init.headers);
    if (body !== null && body !== undefined) {
      if (NULL_BODY.has(status)) throw new TypeError(`Response constructor: Invalid response status code ${status}`);
      const type = this._setBody(body);
      if (type && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
    }
  }

  get status() { return this.#status; }
  get statusText() { return this.#statusText; }
  get ok() { return this.#status >= 200 && this.#status <= 299; }
  get headers() { return this.#headers; }
  get type() { return this.#type; }
  get url() { return this.#url; }
  get redirected() { return this.#redirected; }

  clone() {
    const copy = new Response(null, { status: this.#status, statusText: this.#statusText, headers: this.#headers });
    copy.#type = this.#type;
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    return this._cloneInto(copy);
  }

  static error() {
    const response = new Response();
    response.#status = 0;
    response.#type = "error";
    return response;
  }

  static json(data, init = {}) {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError("The data is not JSON serializable");
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new Response(text, { ...init, headers });
  }

  static redirect(url, status = 302) {
    if (!REDIRECTS.has(status)) throw new RangeError(`Invalid redirect status code ${status}`);
    return new Response(null, { status, headers: { location: new URL(url).href } });
  }

  static _received(status, headers, body, url, redirected) {
    const response = new Response();
    response.#status = status;
    response.#headers = headers;
    response.#url = url;
    response.#redirected = redirected;
    if (body) response._setBody(body);
    return response;
  }

  get [Symbol.toStringTag]() { return "Response"; }
}

let lastKey = 0;

function pairs(list) {
  const headers = new Headers();
  for (let i = 0; i < list.length; i += 2) headers.append(list[i], list[i + 1]);
  return headers;
}

/** Sends one request and waits for the head of its response; an abort ends the wait at once. */
function exchange(method, url, headers, body, signal) {
  const key = ++lastKey;
  return new Promise((resolve, reject) => {
    const abort = () => {
      native.abort(key);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    const done = () => signal.removeEventListener("abort", abort);
    native.send(key, method, url, headers, body).then(
      (response) => { done(); resolve(response); },
      (message) => { done(); reject(failure(message, url)); },
    );
  });
}

function failure(message, url) {
  return new TypeError("fetch failed", { cause: new Error(`${new URL(url).origin}: ${message}`) });
}

function watch(stream, signal) {
  if (!stream || !signal) return;
  signal.addEventListener("abort", () => stream._fail(signal.reason));
}

export async function fetch(input, init) {
  const request = new Request(input, init);
  const signal = request.signal;
  signal.throwIfAborted();
  let { method, url } = request;
  const headers = new Headers(request.headers);
  if (!headers.has("accept")) headers.set("accept", "*/*");
  if (!headers.has("user-agent")) headers.set("user-agent", "lambkin");
  let body = contentOf(request) ? await request.bytes() : undefined;
  for (let redirects = 0; ; redirects++) {
    if (body && !headers.has("content-length")) headers.set("content-length", String(body.length));
    const answer = await exchange(method, url, headers._lines(), body, signal);
    const received = pairs(answer.headers);
    const location = REDIRECTS.has(answer.status) ? received.get("location") : null;
    if (location === null || request.redirect === "manual") {
      const empty = method === "HEAD" || NULL_BODY.has(answer.status);
      if (empty) native.closeReader(answer.body);
      const stream = empty ? null : fromHandle(answer.body);
      watch(stream, init?.signal);
      return Response._received(answer.status, received, stream, url, redirects > 0);
    }
    native.closeReader(answer.body);
    if (request.redirect === "error") throw failure("the response is a redirect", url);
    if (redirects === MOST_REDIRECTS) throw failure("too many redirects", url);
    const target = new URL(location, url);
    if (target.origin !== new URL(url).origin) headers.delete("authorization");
    const asGet = answer.status === 303 ? method !== "HEAD" : answer.status < 303 && method === "POST";
    if (asGet) {
      method = "GET";
      body = undefined;
      for (const name of ["content-length", "content-type", "content-encoding", "content-language"]) headers.delete(name);
    }
    url = target.href;
  }
}

export { DOMException };
