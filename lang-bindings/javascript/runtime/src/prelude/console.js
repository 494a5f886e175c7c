// `console`: messages as Node prints them, on standard output and standard error.

import native from "lambkin:native";
import { format, inspect } from "lambkin:inspect";

const counts = new Map();
const starts = new Map();
let indent = "";

function print(descriptor, values) {
  const text = format(...values);
  native.write(descriptor, `${indent}${indent ? text.replaceAll("\n", `\n${indent}`) : text}\n`);
}

const out = (...values) => print(1, values);
const err = (...values) => print(2, values);

function elapsed(label) {
  const start = starts.get(label);
  return start === undefined ? undefined : `${label}: ${(native.monotonic() - start).toFixed(3)}ms`;
}

function table(rows) {
  if (typeof rows !== "object" || rows === null) return out(rows);
  for (const [index, row] of Object.entries(rows)) out(`${index}:`, row);
}

export const console = {
  log: out,
  info: out,
  debug: out,
  warn: err,
  error: err,
  trace: (...values) => err(`Trace: ${format(...values)}\n${native.mapStack(new Error().stack ?? "").trimEnd()}`),
  dir: (value, options) => out(inspect(value, options)),
  dirxml: out,
  table,
  assert(condition, ...values) {
    if (!condition) err(values.length > 0 ? `Assertion failed: ${format(...values)}` : "Assertion failed");
  },
  count(label = "default") {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    out(`${label}: ${counts.get(label)}`);
  },
  countReset: (label = "default") => void counts.delete(label),
  group(...values) {
    if (values.length > 0) out(...values);
    indent += "  ";
  },
  groupCollapsed(...values) { console.group(...values); },
  groupEnd() { indent = indent.slice(2); },
  time: (label = "default") => void starts.set(label, native.monotonic()),
  timeLog(label = "default", ...values) { out(elapsed(label) ?? `No such label '${label}'`, ...values); },
  timeEnd(label = "default") {
    out(elapsed(label) ?? `No such label '${label}'`);
    starts.delete(label);
  },
};
