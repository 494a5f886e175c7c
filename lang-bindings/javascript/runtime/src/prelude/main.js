// The prelude's entry: installs the globals and offers Rust what it calls.

import "lambkin:globals";

export { begin, load } from "lambkin:load";
export { invokeFunction } from "lambkin:function";
export { invokeHttp } from "lambkin:http";
export { fireTimer } from "lambkin:timers";
export { idle, trackRejection } from "lambkin:process";
