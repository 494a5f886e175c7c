// Installs the globals of the web platform and of Node.

import native from "lambkin:native";
import * as timers from "lambkin:timers";
import * as events from "lambkin:events";
import * as streams from "lambkin:streams";
import { ByteLengthQueuingStrategy, CountQueuingStrategy } from "lambkin:writable";
import { TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream, atob, btoa } from "lambkin:encoding";
import { Blob, File, FormData } from "lambkin:form";
import { CryptoKey, crypto } from "lambkin:crypto";
import { Headers } from "lambkin:headers";
import { Request, Response, fetch } from "lambkin:fetch";
import { URL, URLSearchParams } from "lambkin:url";
import { console } from "lambkin:console";
import { process } from "lambkin:process";
import { structuredClone } from "lambkin:clone";
import { Buffer } from "node:buffer";
import { require } from "lambkin:require";

const define = (values) => {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  }
};

const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, queueMicrotask } = timers;
const { Event, CustomEvent, EventTarget, AbortController, AbortSignal } = events;
const { ReadableStream, ReadableStreamDefaultReader, WritableStream, TransformStream } = streams;

define({
  setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, queueMicrotask,
  Event, CustomEvent, EventTarget, AbortController, AbortSignal,
  ReadableStream, ReadableStreamDefaultReader, WritableStream, TransformStream, ByteLengthQueuingStrategy, CountQueuingStrategy,
  TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream, atob, btoa,
  Blob, File, FormData, CryptoKey, crypto, Headers, Request, Response, fetch, URL, URLSearchParams,
  console, process, structuredClone, Buffer, require,
  global: globalThis,
  self: globalThis,
  navigator: { userAgent: "Lambkin", language: "en-US", languages: ["en-US"], hardwareConcurrency: 1 },
  performance: makePerformance(),
});

// QuickJS seeds its own generator once, and that would be at build time.
Object.defineProperty(Math, "random", { value: () => native.random(), writable: true, configurable: true });

Error.captureStackTrace ??= (target) => {
  Object.defineProperty(target, "stack", { value: new Error().stack, writable: true, configurable: true });
};

function makePerformance() {
  let origin, started;
  // The instance begins when it first asks for the time after the snapshot.
  const begin = () => {
    if (started === undefined || (started.snapshot && !native.inSnapshot())) {
      started = { at: native.monotonic(), snapshot: native.inSnapshot() };
      origin = Date.now();
    }
    return started.at;
  };
  return {
    now: () => native.monotonic() - begin(),
    get timeOrigin() { begin(); return origin; },
    mark: (name) => ({ name, entryType: "mark", startTime: performance.now(), duration: 0 }),
    measure: (name) => ({ name, entryType: "measure", startTime: 0, duration: performance.now() }),
    clearMarks() {}, clearMeasures() {},
    getEntries: () => [], getEntriesByName: () => [], getEntriesByType: () => [],
    toJSON() { return { timeOrigin: this.timeOrigin }; },
  };
}
