// Streams with the default controllers, a part of https://streams.spec.whatwg.org/

export class ReadableStream {
  _queue = [];
  _waiting = [];
  _state = "readable";
  _error = undefined;
  _disturbed = false;
  #source; #reader = null; #pulling = false; #again = false; #started; #controller; #highWaterMark;

  constructor(source = {}, strategy = {}) {
    this.#source = source;
    this.#highWaterMark = strategy.highWaterMark ?? 1;
    const stream = this;
    this.#controller = {
      get desiredSize() { return stream._state === "readable" ? stream.#highWaterMark - stream._queue.length : 0; },
      enqueue: (chunk) => stream.#enqueue(chunk),
      close: () => stream.#close(),
      error: (reason) => stream._fail(reason),
    };
    const started = source.start?.(this.#controller);
    this.#started = Promise.resolve(started).catch((error) => this._fail(error));
    this.#pull();
  }

  static from(iterable) {
    const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]();
    return new ReadableStream({
      async pull(controller) {
        const { value, done } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => iterator.return?.(reason),
    }, { highWaterMark: 0 });
  }

  get locked() { return this.#reader !== null; }

  getReader() {
    if (this.#reader) throw new TypeError("ReadableStream is locked");
    return (this.#reader = new ReadableStreamDefaultReader(this, () => { this.#reader = null; }));
  }

  #enqueue(chunk) {
    if (this._state !== "readable" || this._closing) throw new TypeError("Invalid state: the stream is closed");
    const waiting = this._waiting.shift();
    if (waiting) waiting.resolve({ value: chunk, done: false });
    else this._queue.push(chunk);
    this.#pull();
  }

  #close() {
    if (this._state !== "readable" || this._closing) throw new TypeError("Invalid state: the stream is closed");
    this._closing = true;
    if (this._queue.length === 0) this._end();
  }

  _end() {
    this._state = "closed";
    for (const waiting of this._waiting.splice(0)) waiting.resolve({ value: undefined, done: true });
    this.#reader?._settle();
  }

  _fail(reason) {
    if (this._state !== "readable") return;
    this._state = "errored";
    this._error = reason;
    this._queue = [];
    for (const waiting of this._waiting.splice(0)) waiting.reject(reason);
    this.#reader?._settle();
  }

  // Asks the source for more while somebody waits or the queue is not full; once more if that is asked meanwhile.
  async #pull() {
    const wanted = this._waiting.length > 0 || this._queue.length < this.#highWaterMark;
    if (!this.#source.pull || this._closing || this._state !== "readable" || !wanted) return;
    if (this.#pulling) {
      this.#again = true;
      return;
    }
    this.#pulling = true;
    try {
      await this.#started;
      await this.#source.pull(this.#controller);
    } catch (error) {
      this._fail(error);
    }
    this.#pulling = false;
    if (this.#again) {
      this.#again = false;
      this.#pull();
    }
  }

  _read() {
    this._disturbed = true;
    if (this._queue.length > 0) {
      const value = this._queue.shift();
      if (this._closing && this._queue.length === 0) this._end();
      else this.#pull();
      return Promise.resolve({ value, done: false });
    }
    if (this._state === "closed") return Promise.resolve({ value: undefined, done: true });
    if (this._state === "errored") return Promise.reject(this._error);
    const { promise, resolve, reject } = Promise.withResolvers();
    this._waiting.push({ resolve, reject });
    this.#pull();
    return promise;
  }

  cancel(reason) {
    if (this.#reader) return Promise.reject(new TypeError("ReadableStream is locked"));
    return this._cancel(reason);
  }

  async _cancel(reason) {
    this._disturbed = true;
    if (this._state === "errored") throw this._error;
    if (this._state === "closed") return;
    this._queue = [];
    this._end();
    await this.#source.cancel?.(reason);
  }

  async *values({ preventCancel = false } = {}) {
    const reader = this.getReader();
    let finished = false;
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        yield value;
      }
      finished = true;
    } catch (error) {
      finished = true;
      throw error;
    } finally {
      if (!finished && !preventCancel) await this._cancel();
      reader.releaseLock();
    }
  }

  [Symbol.asyncIterator](options) { return this.values(options); }

  tee() {
    const reader = this.getReader();
    const branches = [];
    const canceled = [false, false];
    const pull = async () => {
      const { value, done } = await reader.read();
      branches.forEach((branch, index) => {
        if (canceled[index]) return;
        if (done) branch.close();
        else branch.enqueue(value);
      });
    };
    const branch = (index) => new ReadableStream({
      start(controller) { branches[index] = controller; },
      pull,
      cancel(reason) {
        canceled[index] = true;
        if (canceled.every(Boolean)) return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
    return [branch(0), branch(1)];
  }

  pipeThrough({ readable, writable }, options) {
    this.pipeTo(writable, options).catch(() => {});
    return readable;
  }

  async pipeTo(destination, { preventClose = false, preventAbort = false, preventCancel = false, signal } = {}) {
    const reader = this.getReader();
    const writer = destination.getWriter();
    try {
      for (;;) {
        signal?.throwIfAborted();
        const { value, done } = await reader.read();
        if (done) break;
        await writer.ready;
        await writer.write(value);
      }
      if (!preventClose) await writer.close();
    } catch (error) {
      if (!preventAbort) await writer.abort(error).catch(() => {});
      if (!preventCancel) await this._cancel(error).catch(() => {});
      throw error;
    } finally {
      reader.releaseLock();
      writer.releaseLock();
    }
  }
}

export class ReadableStreamDefaultReader {
  #stream; #release; #closed = Promise.withResolvers();

  constructor(stream, release) {
    if (!release) return stream.getReader();
    this.#stream = stream;
    this.#release = release;
    this.#closed.promise.catch(() => {});
    this._settle();
  }

  _settle() {
    if (this.#stream._state === "closed") this.#closed.resolve();
    if (this.#stream._state === "errored") this.#closed.reject(this.#stream._error);
  }

  get closed() { return this.#closed.promise; }
  read() { return this.#stream ? this.#stream._read() : Promise.reject(new TypeError("The reader was released")); }
  cancel(reason) { return this.#stream._cancel(reason); }

  releaseLock() {
    if (!this.#stream) return;
    this.#stream = undefined;
    this.#release();
  }
}

export { TransformStream, WritableStream } from "lambkin:writable";
