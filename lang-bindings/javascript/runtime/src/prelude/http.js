// Web handlers: `fetch(request, env, context)`, as Workers and other web runtimes call them.

import native from "lambkin:native";
import { handler } from "lambkin:load";
import { describeError, inspect } from "lambkin:inspect";
import { env, setFatal, setIdle } from "lambkin:process";
import { Request, Response } from "lambkin:fetch";
import { bodyStream, contentOf, fromHandle } from "lambkin:body";

/** Answers one request; the promise is settled when the response is sent and `waitUntil`'s promises are settled. */
export async function invokeHttp(parts) {
  const background = [];
  try {
    const response = await answer(parts, background);
    await send(response, parts.method === "HEAD");
    while (background.length > 0) await background.shift();
    return {};
  } catch (error) {
    return { error: describeError(error) };
  } finally {
    setFatal(undefined);
    setIdle(undefined);
  }
}

async function answer(parts, background) {
  try {
    return await new Promise((resolve, reject) => {
      setIdle(() => reject(new Error("the handler's promise never settled: nothing is left to wait for")));
      call(parts, background).then(resolve, reject);
    });
  } catch (error) {
    native.write(2, `${inspect(error)}\n`);
    return new Response('{"message":"Internal Server Error"}', {
      status: 500,
      headers: { "content-type": "application/json" },
    });
  } finally {
    setIdle(undefined);
  }
}

async function call(parts, background) {
  if (handler?.kind !== "http") throw new TypeError("the module exports no web application: no `fetch` function");
  const context = {
    waitUntil(promise) {
      background.push(Promise.resolve(promise).catch((error) => native.write(2, `waitUntil: ${inspect(error)}\n`)));
    },
    passThroughOnException() {},
    props: {},
  };
  const response = await handler.call(makeRequest(parts), env, context);
  if (!(response instanceof Response)) {
    throw new TypeError(`the handler answered with ${inspect(response)} instead of a Response`);
  }
  return response;
}

function makeRequest({ method, url, headers, body }) {
  const list = [];
  for (let i = 0; i < headers.length; i += 2) list.push([headers[i], headers[i + 1]]);
  const hasBody = body !== 0 && method !== "GET" && method !== "HEAD";
  if (body !== 0 && !hasBody) native.closeReader(body);
  return new Request(url, { method, headers: list, body: hasBody ? fromHandle(body) : undefined, duplex: "half" });
}

async function send(response, withoutBody) {
  const writer = native.respond(response.status, response.headers._lines());
  const content = contentOf(response);
  setIdle(() => native.write(2, "the response was cut short: its body's stream never ended\n"));
  try {
    if (content && !withoutBody) {
      const whole = content.bytes?.();
      if (whole) await native.writeBody(writer, whole);
      else for await (const chunk of bodyStream(content)) await native.writeBody(writer, toBytes(chunk));
    }
    await native.finishBody(writer);
  } catch (error) {
    native.abandonBody(writer);
    native.write(2, `the response was cut short: ${inspect(error)}\n`);
  }
}

function toBytes(chunk) {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === "string") return native.utf8Encode(chunk.toWellFormed());
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError("a response's body yields bytes only");
}
