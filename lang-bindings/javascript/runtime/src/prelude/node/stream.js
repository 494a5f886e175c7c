// `node:stream`: the classes exist so that packages that extend them load; the web's streams are the ones that work.

import EventEmitter from "node:events";
import { refuse } from "lambkin:unsupported";

export class Stream extends EventEmitter {
  pipe = refuse("node:stream pipe");
}
export class Readable extends Stream {
  static from = refuse("node:stream Readable.from");
  read = refuse("node:stream Readable.read");
}
export class Writable extends Stream {
  write = refuse("node:stream Writable.write");
  end = refuse("node:stream Writable.end");
}
export class Duplex extends Readable {}
export class Transform extends Duplex {}
export class PassThrough extends Transform {}
export const pipeline = refuse("node:stream pipeline");
export const finished = refuse("node:stream finished");

export default Object.assign(Stream, { Stream, Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished });
