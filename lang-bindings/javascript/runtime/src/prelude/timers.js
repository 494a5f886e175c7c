// Timers: the callbacks are kept here, the clock is Rust's.

import native from "lambkin:native";
import { report } from "lambkin:process";

const active = new Map();
let last = 0;

class Timeout {
  constructor(id) { this.id = id; }
  ref() { return this; }
  unref() { return this; }
  hasRef() { return true; }
  refresh() {
    const timer = active.get(this.id);
    if (timer) {
      native.clearTimer(this.id);
      native.setTimer(this.id, timer.delay);
    }
    return this;
  }
  close() { clearTimeout(this); return this; }
  [Symbol.toPrimitive]() { return this.id; }
  [Symbol.dispose]() { clearTimeout(this); }
}

function start(callback, delay, args, repeat) {
  if (typeof callback !== "function") throw new TypeError("The \"callback\" argument must be of type function.");
  delay = Math.min(Math.max(Number(delay) || 0, 0), 2 ** 31 - 1);
  const id = ++last;
  active.set(id, { callback, args, delay, repeat });
  native.setTimer(id, delay);
  return new Timeout(id);
}

export function setTimeout(callback, delay, ...args) { return start(callback, delay, args, false); }
export function setInterval(callback, delay, ...args) { return start(callback, Math.max(delay, 1) || 1, args, true); }
export function setImmediate(callback, ...args) { return start(callback, 0, args, false); }

export function clearTimeout(timer) {
  const id = Number(timer?.id ?? timer);
  if (active.delete(id)) native.clearTimer(id);
}
export const clearInterval = clearTimeout;
export const clearImmediate = clearTimeout;

export function queueMicrotask(callback) {
  if (typeof callback !== "function") throw new TypeError("The \"callback\" argument must be of type function.");
  Promise.resolve().then(callback).catch(report);
}

/** Called by the event loop when a timer is due. */
export function fireTimer(id) {
  const timer = active.get(id);
  if (!timer) return;
  if (timer.repeat) native.setTimer(id, timer.delay);
  else active.delete(id);
  try {
    timer.callback(...timer.args);
  } catch (error) {
    report(error);
  }
}
