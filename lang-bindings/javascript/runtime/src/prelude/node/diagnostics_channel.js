// `node:diagnostics_channel`.

class Channel {
  #subscribers = [];
  constructor(name) { this.name = name; }
  get hasSubscribers() { return this.#subscribers.length > 0; }
  subscribe(listener) { this.#subscribers.push(listener); }
  unsubscribe(listener) { this.#subscribers = this.#subscribers.filter((known) => known !== listener); }
  publish(message) { for (const listener of this.#subscribers) listener(message, this.name); }
  runStores(context, callback, self, ...args) { return callback.apply(self, args); }
  bindStore() {}
}

const channels = new Map();

export function channel(name) {
  if (!channels.has(name)) channels.set(name, new Channel(name));
  return channels.get(name);
}

export const hasSubscribers = (name) => channel(name).hasSubscribers;
export const subscribe = (name, listener) => channel(name).subscribe(listener);
export const unsubscribe = (name, listener) => channel(name).unsubscribe(listener);

export function tracingChannel(name) {
  const parts = ["start", "end", "asyncStart", "asyncEnd", "error"];
  const made = Object.fromEntries(parts.map((part) => [part, channel(`tracing:${name}:${part}`)]));
  const call = (callback, context, self, ...args) => callback.apply(self, args);
  return { ...made, hasSubscribers: false, traceSync: call, tracePromise: call, subscribe() {}, unsubscribe() {} };
}

export { Channel };
export default { channel, hasSubscribers, subscribe, unsubscribe, tracingChannel, Channel };
