// Writable and transform streams, and the byte counting strategies.

import { ReadableStream } from "lambkin:streams";

export class WritableStream {
  #sink; #controller; #last; #locked = false; #state = "writable"; #error;

  constructor(sink = {}) {
    this.#sink = sink;
    this.#controller = { signal: undefined, error: (reason) => this._fail(reason) };
    this.#last = Promise.resolve(sink.start?.(this.#controller));
    this.#last.catch((error) => this._fail(error));
  }

  get locked() { return this.#locked; }

  _fail(reason) {
    if (this.#state !== "writable") return;
    this.#state = "errored";
    this.#error = reason;
  }

  // One after the other, in the order they were asked for.
  #then(step) {
    const next = this.#last.then(() => {
      if (this.#state === "errored") throw this.#error;
      return step();
    });
    this.#last = next;
    next.catch((error) => this._fail(error));
    return next;
  }

  _write(chunk) {
    if (this.#state === "closed") return Promise.reject(new TypeError("Invalid state: the stream is closed"));
    return this.#then(() => this.#sink.write?.(chunk, this.#controller));
  }

  _close() {
    if (this.#state === "closed") return Promise.reject(new TypeError("Invalid state: the stream is closed"));
    const closing = this.#then(() => this.#sink.close?.());
    if (this.#state === "writable") closing.then(() => { this.#state = "closed"; }, () => {});
    return closing;
  }

  async _abort(reason) {
    if (this.#state !== "writable") return;
    this._fail(reason);
    await this.#sink.abort?.(reason);
  }

  close() { return this.#locked ? Promise.reject(new TypeError("WritableStream is locked")) : this._close(); }
  abort(reason) { return this.#locked ? Promise.reject(new TypeError("WritableStream is locked")) : this._abort(reason); }

  getWriter() {
    if (this.#locked) throw new TypeError("WritableStream is locked");
    this.#locked = true;
    const closed = Promise.withResolvers();
    closed.promise.catch(() => {});
    return {
      get desiredSize() { return 1; },
      get ready() { return Promise.resolve(); },
      get closed() { return closed.promise; },
      write: (chunk) => this._write(chunk),
      close: () => {
        const closing = this._close();
        closing.then(closed.resolve, closed.reject);
        return closing;
      },
      abort: (reason) => {
        closed.reject(reason);
        return this._abort(reason);
      },
      releaseLock: () => { this.#locked = false; },
    };
  }
}

export class TransformStream {
  constructor(transformer = {}) {
    let output;
    let wanted = Promise.withResolvers();
    const controller = {
      get desiredSize() { return output.desiredSize; },
      enqueue: (chunk) => output.enqueue(chunk),
      error: (reason) => { output.error(reason); this.writable._fail(reason); },
      terminate: () => { output.close(); this.writable._fail(new TypeError("the stream was terminated")); },
    };
    const readable = new ReadableStream({
      start(readable) { output = readable; },
      pull() { wanted.resolve(); },
      cancel: (reason) => { wanted.resolve(); return this.writable._abort(reason); },
    }, { highWaterMark: 0 });
    this.readable = readable;
    const transform = transformer.transform?.bind(transformer) ?? ((chunk) => controller.enqueue(chunk));
    this.writable = new WritableStream({
      start: () => transformer.start?.(controller),
      async write(chunk) {
        // Back-pressure: a chunk is taken when the other end asks for one.
        await wanted.promise;
        wanted = Promise.withResolvers();
        try {
          await transform(chunk, controller);
        } catch (error) {
          output.error(error);
          throw error;
        }
        if (readable._waiting.length > 0) wanted.resolve();
      },
      async close() {
        await transformer.flush?.(controller);
        output.close();
      },
      abort: (reason) => output.error(reason),
    });
  }
}

export class ByteLengthQueuingStrategy {
  constructor({ highWaterMark }) { this.highWaterMark = highWaterMark; }
  size(chunk) { return chunk.byteLength; }
}

export class CountQueuingStrategy {
  constructor({ highWaterMark }) { this.highWaterMark = highWaterMark; }
  size() { return 1; }
}
