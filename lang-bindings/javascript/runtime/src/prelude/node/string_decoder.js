// `node:string_decoder`.

import { Buffer } from "node:buffer";

export class StringDecoder {
  #decoder; #encoding;

  constructor(encoding = "utf8") {
    this.encoding = this.#encoding = String(encoding).toLowerCase();
    this.#decoder = /^utf-?8$/.test(this.#encoding) ? new TextDecoder("utf-8", { ignoreBOM: true }) : undefined;
  }

  write(bytes) {
    if (typeof bytes === "string") return bytes;
    return this.#decoder ? this.#decoder.decode(bytes, { stream: true }) : Buffer.from(bytes).toString(this.#encoding);
  }

  end(bytes) {
    const text = bytes === undefined ? "" : this.write(bytes);
    return this.#decoder ? text + this.#decoder.decode() : text;
  }
}

export default { StringDecoder };
