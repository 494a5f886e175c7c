// `require` for the built-in modules: a bundled CommonJS package asks for them at run time.

import assert from "node:assert";
import async_hooks from "node:async_hooks";
import buffer from "node:buffer";
import console from "node:console";
import crypto from "node:crypto";
import diagnostics_channel from "node:diagnostics_channel";
import events from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import perf_hooks from "node:perf_hooks";
import process from "node:process";
import querystring from "node:querystring";
import stream from "node:stream";
import web from "node:stream/web";
import string_decoder from "node:string_decoder";
import timers from "node:timers";
import url from "node:url";
import util from "node:util";
import { refuseModule } from "lambkin:unsupported";

const modules = {
  assert, async_hooks, buffer, console, crypto, diagnostics_channel, events, fs, os, path, perf_hooks, process, querystring,
  stream, string_decoder, timers, url, util,
  "assert/strict": assert, "fs/promises": fs.promises, "path/posix": path, "stream/web": web,
  "timers/promises": timers.promises, "util/types": util.types,
};

const REFUSED = ["child_process", "cluster", "dgram", "dns", "dns/promises", "http", "http2", "https", "inspector", "module", "net",
  "punycode", "readline", "repl", "stream/promises", "tls", "tty", "v8", "vm", "worker_threads", "zlib"];

export function require(name) {
  const plain = String(name).replace(/^node:/, "");
  if (Object.hasOwn(modules, plain)) return modules[plain];
  if (REFUSED.includes(plain)) return refuseModule(`node:${plain}`);
  throw Object.assign(new Error(`Cannot find module '${name}'`), { code: "MODULE_NOT_FOUND" });
}
