// `node:assert`.

import { inspect, isDeepStrictEqual } from "node:util";

export class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(message);
    this.name = "AssertionError";
    this.code = "ERR_ASSERTION";
    Object.assign(this, { actual, expected, operator, generatedMessage: false });
  }
}

function check(holds, operator, actual, expected, message) {
  if (holds) return;
  if (message instanceof Error) throw message;
  const text = message ?? `Expected values to satisfy ${operator}:\n\n${inspect(actual)}\n\n${inspect(expected)}`;
  throw new AssertionError({ message: text, actual, expected, operator });
}

export const ok = (value, message) => check(value, "==", value, true, message ?? "The expression evaluated to a falsy value");
export default function assert(value, message) { ok(value, message); }

export const equal = (actual, expected, message) => check(Object.is(actual, expected) || actual == expected, "==", actual, expected, message);
export const notEqual = (actual, expected, message) => check(actual != expected, "!=", actual, expected, message);
export const strictEqual = (actual, expected, message) => check(Object.is(actual, expected), "strictEqual", actual, expected, message);
export const notStrictEqual = (actual, expected, message) => check(!Object.is(actual, expected), "notStrictEqual", actual, expected, message);
export const deepStrictEqual = (actual, expected, message) => check(isDeepStrictEqual(actual, expected), "deepStrictEqual", actual, expected, message);
export const notDeepStrictEqual = (actual, expected, message) => check(!isDeepStrictEqual(actual, expected), "notDeepStrictEqual", actual, expected, message);
export const match = (text, pattern, message) => check(pattern.test(text), "match", text, pattern, message);
export const doesNotMatch = (text, pattern, message) => check(!pattern.test(text), "doesNotMatch", text, pattern, message);

export function fail(message = "Failed") {
  throw message instanceof Error ? message : new AssertionError({ message, operator: "fail" });
}

export function ifError(value) {
  if (value !== null && value !== undefined) throw value;
}

function expected(error, wanted, message) {
  if (wanted === undefined || typeof wanted === "string") return;
  if (wanted instanceof RegExp) return check(wanted.test(String(error)), "throws", error, wanted, message);
  if (typeof wanted === "function") {
    if (wanted.prototype !== undefined && error instanceof wanted) return;
    if (Object.prototype.isPrototypeOf.call(Error, wanted) || wanted === Error) throw error;
    return check(wanted(error) === true, "throws", error, wanted, message);
  }
  for (const [key, value] of Object.entries(wanted)) {
    const holds = value instanceof RegExp && typeof error[key] === "string" ? value.test(error[key]) : isDeepStrictEqual(error[key], value);
    check(holds, "throws", error, wanted, message);
  }
}

export function throws(run, wanted, message) {
  try {
    run();
  } catch (error) {
    return expected(error, wanted, message);
  }
  fail(typeof wanted === "string" ? wanted : message ?? "Missing expected exception.");
}

export function doesNotThrow(run) { run(); }

export async function rejects(run, wanted, message) {
  try {
    await (typeof run === "function" ? run() : run);
  } catch (error) {
    return expected(error, wanted, message);
  }
  fail(typeof wanted === "string" ? wanted : message ?? "Missing expected rejection.");
}

export async function doesNotReject(run) { await (typeof run === "function" ? run() : run); }

Object.assign(assert, {
  AssertionError, ok, equal, notEqual, strictEqual, notStrictEqual, deepStrictEqual, notDeepStrictEqual,
  deepEqual: deepStrictEqual, notDeepEqual: notDeepStrictEqual, match, doesNotMatch, fail, ifError, throws, doesNotThrow, rejects, doesNotReject,
});
assert.strict = assert;
export { assert as strict, deepStrictEqual as deepEqual, notDeepStrictEqual as notDeepEqual };
