// `node:util/types`.

import { types } from "node:util";

export const {
  isAnyArrayBuffer, isArrayBuffer, isArrayBufferView, isAsyncFunction, isBoxedPrimitive, isDataView, isDate, isGeneratorFunction,
  isGeneratorObject, isMap, isNativeError, isPromise, isProxy, isRegExp, isSet, isTypedArray, isUint8Array, isWeakMap, isWeakSet,
} = types;
export default types;
