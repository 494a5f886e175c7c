// `node:crypto`: randomness, hashes and HMAC.

import native from "lambkin:native";
import { crypto as webcrypto, randomUUID, timingSafeEqual as same } from "lambkin:crypto";
import { view } from "lambkin:encoding";
import { concat } from "lambkin:body";
import { refuse } from "lambkin:unsupported";
import { Buffer } from "node:buffer";

const ALGORITHMS = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

function algorithm(name) {
  const plain = String(name).toLowerCase().replace("-", "").replace(/^rsa-?/, "");
  if (!ALGORITHMS.includes(plain)) throw new Error(`Digest method not supported: ${name}`);
  return plain;
}

const toBytes = (data, encoding) => (typeof data === "string" ? Buffer.from(data, encoding) : view(data));

class Hash {
  #chunks = []; #finish; #done = false;

  constructor(finish, chunks = []) {
    this.#finish = finish;
    this.#chunks = chunks;
  }

  update(data, encoding) {
    if (this.#done) throw new Error("Digest already called");
    this.#chunks.push(new Uint8Array(toBytes(data, encoding)));
    return this;
  }

  digest(encoding) {
    if (this.#done) throw new Error("Digest already called");
    this.#done = true;
    const result = Buffer.from(this.#finish(concat(this.#chunks)).buffer);
    return encoding && encoding !== "buffer" ? result.toString(encoding) : result;
  }

  copy() { return new Hash(this.#finish, [...this.#chunks]); }
}

export function createHash(name) {
  const hash = algorithm(name);
  return new Hash((data) => native.digest(hash, data));
}

export function createHmac(name, key) {
  const hash = algorithm(name);
  const secret = new Uint8Array(toBytes(key));
  return new Hash((data) => native.hmac(hash, secret, data));
}

export const hash = (name, data, encoding = "hex") => createHash(name).update(data).digest(encoding);

export function randomBytes(length, callback) {
  const bytes = Buffer.from(native.randomBytes(length).buffer);
  if (!callback) return bytes;
  queueMicrotask(() => callback(null, bytes));
}

export function randomInt(from, to, callback) {
  const [low, high, done] = typeof to === "number" ? [from, to, callback] : [0, from, to];
  const range = high - low;
  if (!(range > 0) || range > 2 ** 48) throw new RangeError("The value of \"max\" is out of range.");
  // Draws again where the remainder would favour small numbers.
  const limit = 2 ** 48 - (2 ** 48 % range);
  let drawn;
  do {
    drawn = native.randomBytes(6).reduce((sum, byte) => sum * 256 + byte, 0);
  } while (drawn >= limit);
  const value = low + (drawn % range);
  if (!done) return value;
  queueMicrotask(() => done(null, value));
}

export function randomFillSync(target, offset = 0, size = target.byteLength - offset) {
  view(target).set(native.randomBytes(size), offset);
  return target;
}

export function timingSafeEqual(one, two) {
  if (one.byteLength !== two.byteLength) throw new RangeError("Input buffers must have the same byte length");
  return same(view(one), view(two));
}

export const getHashes = () => [...ALGORITHMS];
export const getRandomValues = (array) => webcrypto.getRandomValues(array);
export const subtle = webcrypto.subtle;
export const createCipheriv = refuse("node:crypto createCipheriv");
export const createDecipheriv = refuse("node:crypto createDecipheriv");
export const createSign = refuse("node:crypto createSign");
export const createVerify = refuse("node:crypto createVerify");
export const createPrivateKey = refuse("node:crypto createPrivateKey");
export const createPublicKey = refuse("node:crypto createPublicKey");
export const createSecretKey = refuse("node:crypto createSecretKey");
export const pbkdf2 = refuse("node:crypto pbkdf2");
export const pbkdf2Sync = refuse("node:crypto pbkdf2Sync");
export const scrypt = refuse("node:crypto scrypt");
export const scryptSync = refuse("node:crypto scryptSync");
export const sign = refuse("node:crypto sign");
export const verify = refuse("node:crypto verify");
export { randomUUID, webcrypto };

export default {
  createHash, createHmac, hash, randomBytes, randomInt, randomFillSync, randomUUID, timingSafeEqual, getHashes, getRandomValues,
  subtle, webcrypto, createCipheriv, createDecipheriv, createSign, createVerify, createPrivateKey, createPublicKey, createSecretKey,
  pbkdf2, pbkdf2Sync, scrypt, scryptSync, sign, verify,
};
