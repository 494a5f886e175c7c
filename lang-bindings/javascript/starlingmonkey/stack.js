// Stack frames by the user's own files and lines, as Node writes them; the engine knows the bundle's only.

/** What the build says in the line before the bundle: the handler's name, the source map, whether to load late. */
export const settings = globalThis[Symbol.for("lambkin")];

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The frames of an error down to where the adapter called the handler. */
export function frames(error) {
  const all = [], own = constructors(error);
  for (const line of String(error.stack ?? "").split("\n")) {
    const [, name, file, row, column] = /^(.*)@(.*):(\d+):(\d+)$/.exec(line.trim()) ?? [];
    if (file === undefined) continue;
    const place = file.endsWith("bundle.js") ? original(row - 2, column - 1) : undefined;
    if (place === undefined || place.startsWith("lambkin:")) break;
    const known = name.replace(/^async\*/, "").replace(/[/<]+$/, "");
    // As in Node, where an error is made is the first frame, not its class's own constructor.
    if (all.length === 0 && own.has(known)) continue;
    all.push(known ? `at ${known} (${place})` : `at ${place}`);
  }
  return all;
}

function constructors(error) {
  const names = new Set();
  for (let at = Object.getPrototypeOf(error); at && at !== Error.prototype; at = Object.getPrototypeOf(at)) names.add(at.constructor?.name);
  return names;
}

/** An error as it is logged. */
export function show(error) {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? [] : [`cause: ${show(error.cause)}`];
  return [String(error), ...frames(error).map((frame) => `    ${frame}`), ...cause].join("\n");
}

// https://tc39.es/ecma426/: the fields of a segment are differences, in base 64 with variable length.
function original(row, column) {
  const lines = settings.map.mappings.split(";");
  let source = 0, line = 0, character = 0, place;
  for (let i = 0; i <= row && i < lines.length; i++) {
    let at = 0;
    for (const segment of lines[i].split(",")) {
      if (segment === "") continue;
      const [moved, toSource, toLine, toCharacter] = numbers(segment);
      at += moved;
      if (i === row && at > column) break;
      if (toSource === undefined) continue;
      source += toSource; line += toLine; character += toCharacter;
      if (i === row) place = `${settings.map.sources[source]}:${line + 1}:${character + 1}`;
    }
  }
  return place;
}

function numbers(segment) {
  const all = [];
  let value = 0, shift = 0;
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    all.push(value & 1 ? -(value >> 1) : value >> 1);
    value = shift = 0;
  }
  return all;
}
