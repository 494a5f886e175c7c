// What Lambkin's web handlers are. Installing `@lambkin/types` replaces this file.
declare module "@lambkin/types" {
  interface WebContext {
    waitUntil(promise: Promise<unknown>): void;
  }

  interface WebHandler {
    fetch(request: Request, env: Record<string, string>, context: WebContext): Response | Promise<Response>;
  }
}
