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

/** The clients of the app's WebSocket API; needs `websocket = true` in the component's grants. */
declare module "lambkin/websocket" {
  /** What API Gateway knows of a client. */
  export interface Connection {
    connectedAt: Date;
    lastActiveAt: Date;
    sourceIp: string;
    userAgent?: string;
  }
  export class WebSocketError extends Error {
    /** `gone` says that the client has left. */
    code: "not-granted" | "gone" | "too-large" | "throttled" | "failed";
  }
  /** Sends a message of at most 128 KiB, which arrives as text. */
  export function send(connectionId: string, message: string | ArrayBuffer | ArrayBufferView): Promise<void>;
  /** Closes a connection; its `$disconnect` route is called. */
  export function close(connectionId: string): Promise<void>;
  export function info(connectionId: string): Promise<Connection>;
}

/** Components of the app that are started and not waited for; needs their names in `jobs` of the component's grants. */
declare module "lambkin/jobs" {
  export class JobsError extends Error {
    code: "not-granted" | "invalid-event" | "too-large" | "throttled" | "failed";
  }
  /** Starts a component with an event and gives the job's id: the request id of its invocation. */
  export function start(component: string, event?: unknown): Promise<string>;
}

/** Files in S3, in the folders of `files` in the component's grants. */
declare module "lambkin/files" {
  export class FilesError extends Error {
    code: "not-granted" | "not-found" | "invalid" | "too-large" | "failed";
  }
  export interface File {
    data: Uint8Array;
    contentType?: string;
    etag: string;
  }
  export interface Entry {
    path: string;
    /** In bytes. */
    size: number;
    etag: string;
    lastModified: Date;
  }
  export interface Form {
    /** Where it is posted to, as `multipart/form-data`: the fields first, then the file as `file`. */
    url: string;
    fields: Record<string, string>;
  }
  export function get(folder: string, path: string): Promise<File>;
  /** Writes a file, over the one that is there, and gives its ETag. */
  export function put(folder: string, path: string, data: string | ArrayBuffer | ArrayBufferView, options?: { contentType?: string }): Promise<string>;
  /** At most 1000 files; `after` is the `next` of the page before. */
  export function list(folder: string, prefix?: string, options?: { after?: string }): Promise<{ entries: Entry[]; next?: string }>;
  /** Deletes a file; one that is not there is no error. */
  export function remove(folder: string, path: string): Promise<void>;
  /** `expiresIn` is in seconds, an hour when absent. */
  export function getUrl(folder: string, path: string, options?: { expiresIn?: number }): Promise<string>;
  export function putUrl(folder: string, path: string, options?: { expiresIn?: number; contentType?: string }): Promise<string>;
  /** Sizes are in bytes. */
  export function postForm(folder: string, path: string, options?: { expiresIn?: number; minBytes?: number; maxBytes?: number; contentType?: string }): Promise<Form>;
}
