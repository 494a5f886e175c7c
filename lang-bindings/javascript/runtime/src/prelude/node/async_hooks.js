// `node:async_hooks`: `AsyncLocalStorage` for one flow of control at a time.
//
// QuickJS does not tell which promise a job belongs to. A store is therefore visible until the function that it was
// given to has ended; an instance serves one invocation, so that request-wide stores behave as in Node.

export class AsyncLocalStorage {
  #stack = [];

  getStore() { return this.#stack.at(-1); }
  enterWith(store) { this.#stack = [store]; }
  disable() { this.#stack = []; }

  run(store, callback, ...args) {
    const entry = { store };
    this.#stack.push(store);
    const leave = () => {
      const at = this.#stack.lastIndexOf(entry.store);
      if (at >= 0) this.#stack.splice(at, 1);
    };
    let result;
    try {
      result = callback(...args);
    } catch (error) {
      leave();
      throw error;
    }
    if (typeof result?.then !== "function") {
      leave();
      return result;
    }
    const left = (value) => (leave(), value);
    return result.then(left, (error) => { leave(); throw error; });
  }

  exit(callback, ...args) { return this.run(undefined, callback, ...args); }
  static bind(callback) { return callback; }
  static snapshot() { return (callback, ...args) => callback(...args); }
}

export class AsyncResource {
  constructor(type) { this.type = type; }
  runInAsyncScope(callback, self, ...args) { return callback.apply(self, args); }
  bind(callback) { return callback.bind(this); }
  emitDestroy() { return this; }
  asyncId() { return 1; }
  triggerAsyncId() { return 0; }
  static bind(callback) { return callback; }
}

export const executionAsyncId = () => 1;
export const triggerAsyncId = () => 0;
export const createHook = () => ({ enable() { return this; }, disable() { return this; } });

export default { AsyncLocalStorage, AsyncResource, executionAsyncId, triggerAsyncId, createHook };
