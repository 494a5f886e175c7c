// `Buffer`'s methods that read and write numbers: readUInt16BE, writeDoubleLE and their kin.

// Node's name of each kind, with DataView's name and the number of bytes.
const KINDS = [
  ["Int8", "Int8", 1], ["UInt8", "Uint8", 1], ["Int16", "Int16", 2], ["UInt16", "Uint16", 2], ["Int32", "Int32", 4],
  ["UInt32", "Uint32", 4], ["Float", "Float32", 4], ["Double", "Float64", 8], ["BigInt64", "BigInt64", 8], ["BigUInt64", "BigUint64", 8],
];

const data = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);

function check(buffer, offset, size) {
  if (!Number.isInteger(offset) || offset < 0 || offset + size > buffer.length) {
    const error = new RangeError(`The value of "offset" is out of range. It must be >= 0 and <= ${buffer.length - size}. Received ${offset}`);
    throw Object.assign(error, { code: "ERR_OUT_OF_RANGE" });
  }
}

function define(prototype, names, value) {
  for (const name of names) Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}

// UInt is spelled Uint as well.
const spellings = (name) => (name.includes("UInt") ? [name, name.replace("UInt", "Uint")] : [name]);

export function defineNumbers(prototype) {
  for (const [name, view, size] of KINDS) {
    for (const order of size === 1 ? [""] : ["LE", "BE"]) {
      define(prototype, spellings(`read${name}${order}`), function read(offset = 0) {
        check(this, offset, size);
        return data(this)[`get${view}`](offset, order === "LE");
      });
      define(prototype, spellings(`write${name}${order}`), function write(value, offset = 0) {
        check(this, offset, size);
        data(this)[`set${view}`](offset, value, order === "LE");
        return offset + size;
      });
    }
  }
  for (const little of [true, false]) defineWide(prototype, little);
}

// Integers of one to six bytes.
function defineWide(prototype, little) {
  const order = little ? "LE" : "BE";
  const place = (length, i) => (little ? i : length - 1 - i);
  const read = (buffer, offset, length) => {
    check(buffer, offset, length);
    let value = 0;
    for (let i = length - 1; i >= 0; i--) value = value * 256 + buffer[offset + place(length, i)];
    return value;
  };
  define(prototype, spellings(`readUInt${order}`), function readUInt(offset, length) { return read(this, offset, length); });
  define(prototype, [`readInt${order}`], function readInt(offset, length) {
    const value = read(this, offset, length);
    return value >= 2 ** (8 * length - 1) ? value - 2 ** (8 * length) : value;
  });
  const write = function write(value, offset, length) {
    check(this, offset, length);
    let rest = value < 0 ? value + 2 ** (8 * length) : value;
    for (let i = 0; i < length; i++) {
      this[offset + place(length, i)] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return offset + length;
  };
  define(prototype, [...spellings(`writeUInt${order}`), `writeInt${order}`], write);
}
