// What the capabilities' modules share: the host's answer is a value or an error, and data is text or bytes.

const encoder = new TextEncoder();

/** A class of errors for one module: `code` tells them apart. */
export const errorOf = (name) => {
  const kind = { [name]: class extends Error {
    constructor({ code, message }) {
      super(message);
      this.code = code;
    }
  } }[name];
  Object.defineProperty(kind.prototype, "name", { value: name, configurable: true, writable: true });
  return kind;
};

/** The value of the host's answer, or its error thrown. */
export function take({ value, error }, Kind) {
  if (error) throw new Kind(error);
  return value;
}

/** The bytes of text, of a view or of a buffer. */
export function bytesOf(data) {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError("the data must be a string, an ArrayBuffer or a view of one");
}
