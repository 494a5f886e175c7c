// `node:events`.

export default class EventEmitter {
  static defaultMaxListeners = 10;
  static errorMonitor = Symbol("events.errorMonitor");

  // A method, not a field: Node's users extend the class by `EventEmitter.call(this)` and by mixing in its prototype.
  _list(name) {
    if (!Object.hasOwn(this, "_events")) Object.defineProperty(this, "_events", { value: new Map(), writable: true, configurable: true });
    return this._events.get(name) ?? [];
  }

  _set(name, list) {
    if (list.length > 0) this._events.set(name, list);
    else this._events.delete(name);
    return this;
  }

  _add(name, listener, options) {
    if (typeof listener !== "function") throw new TypeError("The \"listener\" argument must be of type function.");
    const list = this._list(name);
    if (this._list("newListener").length > 0) this.emit("newListener", name, listener);
    const entry = { listener, once: Boolean(options.once) };
    return this._set(name, options.first ? [entry, ...list] : [...list, entry]);
  }

  on(name, listener) { return this._add(name, listener, {}); }
  addListener(name, listener) { return this._add(name, listener, {}); }
  once(name, listener) { return this._add(name, listener, { once: true }); }
  prependListener(name, listener) { return this._add(name, listener, { first: true }); }
  prependOnceListener(name, listener) { return this._add(name, listener, { first: true, once: true }); }

  off(name, listener) {
    const list = this._list(name);
    const at = list.findLastIndex((entry) => entry.listener === listener);
    return at < 0 ? this : this._set(name, list.toSpliced(at, 1));
  }

  removeListener(name, listener) { return this.off(name, listener); }

  removeAllListeners(name) {
    this._list(name);
    if (name === undefined) this._events.clear();
    else this._events.delete(name);
    return this;
  }

  emit(name, ...args) {
    const list = this._list(name);
    if (name === "error") {
      for (const { listener } of this._list(EventEmitter.errorMonitor)) listener.apply(this, args);
      if (list.length === 0) throw args[0] instanceof Error ? args[0] : new Error(`Unhandled error. (${args[0]})`);
    }
    for (const { listener, once } of list) {
      if (once) this.off(name, listener);
      listener.apply(this, args);
    }
    return list.length > 0;
  }

  listenerCount(name) { return this._list(name).length; }
  listeners(name) { return this._list(name).map(({ listener }) => listener); }
  rawListeners(name) { return this.listeners(name); }
  eventNames() { this._list(""); return [...this._events.keys()]; }
  setMaxListeners() { return this; }
  getMaxListeners() { return EventEmitter.defaultMaxListeners; }
}

/** Waits for one event; an `error` event rejects. */
export function once(emitter, name, { signal } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const add = (event, listener) => (emitter.once ? emitter.once(event, listener) : emitter.addEventListener(event, listener, { once: true }));
    const remove = (event, listener) => (emitter.off ? emitter.off(event, listener) : emitter.removeEventListener(event, listener));
    const fail = (error) => { remove(name, done); reject(error); };
    const done = (...args) => { remove("error", fail); resolve(args); };
    add(name, done);
    if (name !== "error") add("error", fail);
    signal?.addEventListener("abort", () => { remove(name, done); remove("error", fail); reject(signal.reason); });
  });
}

export const { errorMonitor } = EventEmitter;
export const setMaxListeners = () => {};
export const getEventListeners = (emitter, name) => emitter.listeners?.(name) ?? [];
export { EventEmitter };

Object.assign(EventEmitter, { EventEmitter, once, setMaxListeners, getEventListeners });
