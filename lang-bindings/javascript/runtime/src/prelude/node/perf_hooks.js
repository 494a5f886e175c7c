// `node:perf_hooks`.

// The global is installed after this module is evaluated.
export const performance = new Proxy({}, { get: (_, name) => Reflect.get(globalThis.performance, name) });

export class PerformanceObserver {
  static supportedEntryTypes = [];
  observe() {}
  disconnect() {}
}

export default { performance, PerformanceObserver };
