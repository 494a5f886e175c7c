// `node:stream/web`.

import { ReadableStream, ReadableStreamDefaultReader, TransformStream, WritableStream } from "lambkin:streams";
import { ByteLengthQueuingStrategy, CountQueuingStrategy } from "lambkin:writable";
import { TextDecoderStream, TextEncoderStream } from "lambkin:encoding";

export {
  ByteLengthQueuingStrategy, CountQueuingStrategy, ReadableStream, ReadableStreamDefaultReader, TextDecoderStream, TextEncoderStream,
  TransformStream, WritableStream,
};
export default {
  ByteLengthQueuingStrategy, CountQueuingStrategy, ReadableStream, ReadableStreamDefaultReader, TextDecoderStream, TextEncoderStream,
  TransformStream, WritableStream,
};
