// `node:util`.

import { format, inspect } from "lambkin:inspect";
import { TextDecoder, TextEncoder } from "lambkin:encoding";

const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);
const is = (Type) => (value) => value instanceof Type;

export const types = {
  isAnyArrayBuffer: is(ArrayBuffer),
  isArrayBuffer: is(ArrayBuffer),
  isArrayBufferView: ArrayBuffer.isView,
  isAsyncFunction: (value) => tag(value) === "AsyncFunction",
  isBigInt64Array: is(BigInt64Array),
  isBoxedPrimitive: (value) => typeof value === "object" && ["Number", "String", "Boolean", "Symbol", "BigInt"].includes(tag(value)),
  isDataView: is(DataView),
  isDate: is(Date),
  isGeneratorFunction: (value) => tag(value) === "GeneratorFunction",
  isGeneratorObject: (value) => tag(value) === "Generator",
  isMap: is(Map),
  isNativeError: is(Error),
  isPromise: is(Promise),
  isProxy: () => false,
  isRegExp: is(RegExp),
  isSet: is(Set),
  isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
  isUint8Array: is(Uint8Array),
  isWeakMap: is(WeakMap),
  isWeakSet: is(WeakSet),
};

export function promisify(original) {
  if (typeof original !== "function") throw new TypeError("The \"original\" argument must be of type function.");
  if (original[promisify.custom]) return original[promisify.custom];
  return function promisified(...args) {
    return new Promise((resolve, reject) => {
      original.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value)));
    });
  };
}
promisify.custom = Symbol.for("nodejs.util.promisify.custom");

export function callbackify(original) {
  return function callbackified(...args) {
    const callback = args.pop();
    original.apply(this, args).then(
      (value) => queueMicrotask(() => callback(null, value)),
      (error) => queueMicrotask(() => callback(error ?? new Error("Promise was rejected with a falsy value"))),
    );
  };
}

export function inherits(constructor, parent) {
  Object.defineProperty(constructor, "super_", { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

export function deprecate(callback) { return callback; }
export const debuglog = () => Object.assign(() => {}, { enabled: false });
export const debug = debuglog;
export const stripVTControlCharacters = (text) => text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "");
export const styleText = (style, text) => text;
export const toUSVString = (text) => String(text).toWellFormed();
export const isArray = Array.isArray;
export const getSystemErrorName = (code) => `Unknown system error ${code}`;

export function isDeepStrictEqual(one, two, seen = new Map()) {
  if (Object.is(one, two)) return true;
  if (typeof one !== "object" || typeof two !== "object" || one === null || two === null) return false;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(two)) return false;
  if (seen.get(one) === two) return true;
  seen.set(one, two);
  if (one instanceof Date) return one.getTime() === two.getTime();
  if (one instanceof RegExp) return String(one) === String(two);
  if (one instanceof Error && (one.message !== two.message || one.name !== two.name)) return false;
  if (one instanceof Number || one instanceof String || one instanceof Boolean) return Object.is(one.valueOf(), two.valueOf());
  if (one instanceof Map || one instanceof Set) return sameEntries([...one], [...two], seen);
  const keys = Reflect.ownKeys(one).filter((key) => Object.prototype.propertyIsEnumerable.call(one, key));
  const others = Reflect.ownKeys(two).filter((key) => Object.prototype.propertyIsEnumerable.call(two, key));
  return keys.length === others.length && keys.every((key) => Object.hasOwn(two, key) && isDeepStrictEqual(one[key], two[key], seen));
}

// The order of a map's or a set's members does not matter.
function sameEntries(one, two, seen) {
  if (one.length !== two.length) return false;
  const left = [...two];
  return one.every((entry) => {
    const at = left.findIndex((other) => isDeepStrictEqual(entry, other, new Map(seen)));
    return at >= 0 && left.splice(at, 1).length === 1;
  });
}

export { TextDecoder, TextEncoder, format, inspect };
export const formatWithOptions = (options, ...values) => format(...values);

export default {
  types, promisify, callbackify, inherits, deprecate, debuglog, debug, stripVTControlCharacters, styleText, toUSVString, isArray,
  getSystemErrorName, isDeepStrictEqual, TextDecoder, TextEncoder, format, formatWithOptions, inspect,
};
