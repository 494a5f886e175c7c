// Web Crypto: random values, digests and HMAC, a part of https://w3c.github.io/webcrypto/

import native from "lambkin:native";
import { view } from "lambkin:encoding";

const HASHES = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };

const refuse = (what) => { throw new DOMException(`${what} is not supported on QuickJS; engine = "starlingmonkey" may have it`, "NotSupportedError"); };

function hashOf(algorithm) {
  const name = String(typeof algorithm === "object" ? algorithm?.name : algorithm).toUpperCase();
  return HASHES[name] ?? refuse(`The digest ${name}`);
}

class CryptoKey {
  constructor(type, algorithm, extractable, usages, secret) {
    Object.assign(this, { type, algorithm, extractable, usages });
    Object.defineProperty(this, "_secret", { value: secret });
  }
}

function hmacKey(algorithm) {
  const name = String(algorithm?.name ?? algorithm).toUpperCase();
  if (name !== "HMAC") refuse(`The algorithm ${name}`);
  const hash = String(algorithm.hash?.name ?? algorithm.hash).toUpperCase();
  return { name, hash: { name: hash } };
}

const buffer = (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const authenticate = (key, data) => native.hmac(hashOf(key.algorithm.hash), key._secret, view(data).slice());

class SubtleCrypto {
  async digest(algorithm, data) { return buffer(native.digest(hashOf(algorithm), view(data).slice())); }

  async importKey(format, data, algorithm, extractable, usages) {
    const checked = hmacKey(algorithm);
    if (format !== "raw") refuse(`The key format ${format}`);
    const secret = view(data).slice();
    return new CryptoKey("secret", { ...checked, length: secret.length * 8 }, extractable, usages, secret);
  }

  async generateKey(algorithm, extractable, usages) {
    const checked = hmacKey(algorithm);
    const blocks = { sha384: 128, sha512: 128 };
    const length = algorithm.length ? algorithm.length / 8 : blocks[hashOf(checked.hash)] ?? 64;
    return new CryptoKey("secret", { ...checked, length: length * 8 }, extractable, usages, native.randomBytes(length));
  }

  async exportKey(format, key) {
    if (format !== "raw") refuse(`The key format ${format}`);
    if (!key.extractable) throw new DOMException("key is not extractable", "InvalidAccessError");
    return buffer(key._secret);
  }

  async sign(algorithm, key, data) { return buffer(authenticate(key, data)); }

  async verify(algorithm, key, signature, data) { return timingSafeEqual(authenticate(key, data), view(signature)); }

  async encrypt() { refuse("encrypt"); }
  async decrypt() { refuse("decrypt"); }
  async deriveBits() { refuse("deriveBits"); }
  async deriveKey() { refuse("deriveKey"); }
  async wrapKey() { refuse("wrapKey"); }
  async unwrapKey() { refuse("unwrapKey"); }
}

/** Compares in a time that does not depend on where the difference is. */
export function timingSafeEqual(one, two) {
  if (one.length !== two.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i++) difference |= one[i] ^ two[i];
  return difference === 0;
}

export function randomUUID() {
  const bytes = native.randomBytes(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = native.hexEncode(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export const crypto = {
  subtle: new SubtleCrypto(),
  randomUUID,
  getRandomValues(array) {
    if (!ArrayBuffer.isView(array)) throw new TypeError("an integer typed array is expected");
    if (array.byteLength > 65536) throw new DOMException("at most 65536 bytes at once", "QuotaExceededError");
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(native.randomBytes(array.byteLength));
    return array;
  },
};

export { CryptoKey };
