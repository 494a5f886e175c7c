// `node:timers` and `node:timers/promises`.

import * as timers from "lambkin:timers";

const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = timers;

const wait = (start, value, signal) => new Promise((resolve, reject) => {
  signal?.throwIfAborted();
  const timer = start(() => resolve(value));
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    reject(signal.reason);
  });
});

export const promises = {
  setTimeout: (delay, value, { signal } = {}) => wait((done) => setTimeout(done, delay), value, signal),
  setImmediate: (value, { signal } = {}) => wait((done) => setImmediate(done), value, signal),
  async *setInterval(delay, value, options) {
    for (;;) yield promises.setTimeout(delay, value, options);
  },
  scheduler: { wait: (delay, options) => promises.setTimeout(delay, undefined, options) },
};

export { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };
export default { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, promises };
