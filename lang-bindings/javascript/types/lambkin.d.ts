// Types of Lambkin's JavaScript handlers. Lambda events have theirs in `@types/aws-lambda`.

/** What a web handler gets beside the request. */
export interface WebContext {
  /** Keeps the instance alive until `promise` is settled; the response is sent before that. */
  waitUntil(promise: Promise<unknown>): void;
}

/** A web handler: the default export of a component of kind `http`. */
export interface WebHandler {
  /**
   * Answers one request.
   *
   * @param request The request; its URL is absolute.
   * @param env The component's environment variables.
   */
  fetch(request: Request, env: Record<string, string>, context: WebContext): Response | Promise<Response>;
}

/** What Lambkin adds to the context of a Lambda handler, as its member `lambkin`. */
export interface LambkinContext {
  /** The app that the event was routed to. */
  app: string;
  /** The alias it was reached through, for example `live`. */
  alias: string;
  /** The release that the alias pointed to. */
  release: string;
  /** The component's name in the app's manifest. */
  component: string;
}
