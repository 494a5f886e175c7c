// Events and cancellation, by https://dom.spec.whatwg.org/

import { setTimeout } from "lambkin:timers";
import { report } from "lambkin:process";

export const DOMException = globalThis.DOMException;

export class Event {
  #type; #cancelable; #bubbles; #prevented = false;
  target = null;
  currentTarget = null;
  eventPhase = 0;
  timeStamp = 0;
  _stopped = false;

  constructor(type, init = {}) {
    this.#type = String(type);
    this.#cancelable = Boolean(init.cancelable);
    this.#bubbles = Boolean(init.bubbles);
  }

  get type() { return this.#type; }
  get cancelable() { return this.#cancelable; }
  get bubbles() { return this.#bubbles; }
  get defaultPrevented() { return this.#prevented; }
  preventDefault() { if (this.#cancelable) this.#prevented = true; }
  stopPropagation() {}
  stopImmediatePropagation() { this._stopped = true; }
  composedPath() { return this.target ? [this.target] : []; }
}

export class CustomEvent extends Event {
  constructor(type, init = {}) {
    super(type, init);
    this.detail = init.detail ?? null;
  }
}

export class EventTarget {
  #listeners = new Map();

  addEventListener(type, listener, options) {
    if (!listener) return;
    const settings = typeof options === "object" && options !== null ? options : {};
    if (settings.signal?.aborted) return;
    const list = this.#listeners.get(type) ?? [];
    if (list.some((known) => known.listener === listener)) return;
    this.#listeners.set(type, [...list, { listener, once: Boolean(settings.once) }]);
    settings.signal?.addEventListener("abort", () => this.removeEventListener(type, listener));
  }

  removeEventListener(type, listener) {
    const list = this.#listeners.get(type);
    if (list) this.#listeners.set(type, list.filter((known) => known.listener !== listener));
  }

  dispatchEvent(event) {
    event.target = event.currentTarget = this;
    const property = this[`on${event.type}`];
    if (typeof property === "function") notify(property.bind(this), event);
    for (const { listener, once } of this.#listeners.get(event.type) ?? []) {
      if (event._stopped) break;
      if (once) this.removeEventListener(event.type, listener);
      notify(typeof listener === "function" ? listener.bind(this) : listener.handleEvent.bind(listener), event);
    }
    event.currentTarget = null;
    return !event.defaultPrevented;
  }
}

function notify(listener, event) {
  try {
    listener(event);
  } catch (error) {
    report(error);
  }
}

const INTERNAL = Symbol("internal");

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason = undefined;
  onabort = null;

  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }
  throwIfAborted() { if (this.#aborted) throw this.#reason; }

  [INTERNAL](reason) {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
    this.dispatchEvent(new Event("abort"));
  }

  static abort(reason) {
    const signal = new AbortSignal();
    signal[INTERNAL](reason);
    return signal;
  }

  static timeout(milliseconds) {
    const signal = new AbortSignal();
    const error = new DOMException("The operation was aborted due to timeout", "TimeoutError");
    setTimeout(() => signal[INTERNAL](error), milliseconds);
    return signal;
  }

  static any(signals) {
    const combined = new AbortSignal();
    for (const signal of signals) {
      if (signal.aborted) {
        combined[INTERNAL](signal.reason);
        break;
      }
      signal.addEventListener("abort", () => combined[INTERNAL](signal.reason));
    }
    return combined;
  }
}

export class AbortController {
  #signal = new AbortSignal();
  get signal() { return this.#signal; }
  abort(reason) { this.#signal[INTERNAL](reason); }
}

