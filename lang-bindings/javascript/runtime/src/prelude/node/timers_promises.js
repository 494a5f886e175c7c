// `node:timers/promises`.

import { promises } from "node:timers";

export const { setTimeout, setInterval, setImmediate, scheduler } = promises;
export default promises;
