// `node:console`.

import { console } from "lambkin:console";

/** A console of one's own writes where the global one does. */
export class Console {
  constructor() { return Object.create(console); }
}

export const { assert, count, countReset, debug, dir, error, group, groupEnd, info, log, table, time, timeEnd, timeLog, trace, warn } = console;
export default Object.assign(Object.create(console), { Console });
