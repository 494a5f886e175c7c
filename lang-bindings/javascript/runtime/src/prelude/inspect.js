// How values and errors are shown: `util.inspect` and `util.format` as Node does them, without colours.

import native from "lambkin:native";

export const custom = Symbol.for("nodejs.util.inspect.custom");
const LINE = 72;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

export function inspect(value, options = {}) {
  const settings = { depth: 2, ...(typeof options === "object" ? options : {}) };
  if (settings.depth === null) settings.depth = Infinity;
  return show(value, 0, settings, []);
}
inspect.custom = custom;
inspect.defaultOptions = {};

const quote = (text) => {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes("`") ? "`" : "'";
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
};

function show(value, level, settings, parents) {
  switch (typeof value) {
    case "string": return level === 0 && settings.plain ? value : quote(value);
    case "number": return Object.is(value, -0) ? "-0" : String(value);
    case "bigint": return `${value}n`;
    case "symbol": return value.toString();
    case "function": return named(value, level, settings, parents);
    case "object": return value === null ? "null" : object(value, level, settings, parents);
    default: return String(value);
  }
}

function named(value, level, settings, parents) {
  const isClass = /^class\b/.test(Function.prototype.toString.call(value));
  const base = isClass
    ? `[class ${value.name || "(anonymous)"}${superName(value)}]`
    : `[${value.constructor?.name ?? "Function"}${value.name ? `: ${value.name}` : " (anonymous)"}]`;
  const members = Object.keys(value);
  return members.length === 0 ? base : `${base} ${braces("{", entries(value, members, level, settings, parents), "}", level)}`;
}

function superName(value) {
  const parent = Object.getPrototypeOf(value);
  return parent?.name ? ` extends ${parent.name}` : "";
}

function object(value, level, settings, parents) {
  if (typeof value[custom] === "function") {
    const shown = value[custom](settings.depth - level, settings, inspect);
    return typeof shown === "string" ? shown : show(shown, level, settings, parents);
  }
  if (parents.includes(value)) return "[Circular *1]";
  const inside = [...parents, value];
  if (value instanceof Error) return error(value, level, settings, inside);
  const name = value.constructor?.name ?? "[Object: null prototype]";
  if (level > settings.depth) return Array.isArray(value) ? "[Array]" : `[${name}]`;
  return container(value, name, level, settings, inside) ?? plain(value, name, level, settings, inside);
}

function container(value, name, level, settings, parents) {
  const nested = (item) => show(item, level + 1, settings, parents);
  if (Array.isArray(value)) {
    const items = Array.from(value.slice(0, 100), (item, index) => (index in value ? nested(item) : "<empty>"));
    if (value.length > 100) items.push(`... ${value.length - 100} more items`);
    const extra = Object.keys(value).filter((key) => !/^\d+$/.test(key));
    return braces("[", [...items, ...entries(value, extra, level, settings, parents)], "]", level);
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Map) {
    const items = Array.from(value, ([key, item]) => `${nested(key)} => ${nested(item)}`);
    return `Map(${value.size}) ${braces("{", items, "}", level)}`;
  }
  if (value instanceof Set) return `Set(${value.size}) ${braces("{", Array.from(value, nested), "}", level)}`;
  if (value instanceof Promise) return "Promise {}";
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    if (name === "Buffer") return `<Buffer ${native.hexEncode(new Uint8Array(value.subarray(0, 50))).match(/../g)?.join(" ") ?? ""}>`;
    const items = Array.from(value.subarray(0, 100), nested);
    if (value.length > 100) items.push(`... ${value.length - 100} more items`);
    return `${name}(${value.length}) ${braces("[", items, "]", level)}`;
  }
  if (value instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${value.byteLength} }`;
  if (value instanceof Number || value instanceof String || value instanceof Boolean) {
    return `[${name}: ${show(value.valueOf(), 1, settings, parents)}]`;
  }
  if (name === "URL") return `URL { ${quote(value.href)} }`;
  if (name === "Headers" || name === "URLSearchParams" || name === "FormData") {
    const items = Array.from(value, ([key, item]) => `${quote(key)} => ${nested(item)}`);
    return `${name} ${braces("{", items, "}", level)}`;
  }
}

function plain(value, name, level, settings, parents) {
  const items = entries(value, Object.keys(value), level, settings, parents);
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol)) {
      items.push(`[${symbol.toString()}]: ${show(value[symbol], level + 1, settings, parents)}`);
    }
  }
  const tag = value[Symbol.toStringTag];
  const prefix = name === "Object" ? "" : `${name} `;
  return `${prefix}${tag && tag !== name ? `[${tag}] ` : ""}${braces("{", items, "}", level)}`;
}

function entries(value, keys, level, settings, parents) {
  return keys.map((key) => {
    const { get, set } = Object.getOwnPropertyDescriptor(value, key) ?? {};
    const shown = get ? (set ? "[Getter/Setter]" : "[Getter]") : set ? "[Setter]" : show(value[key], level + 1, settings, parents);
    return `${IDENTIFIER.test(key) ? key : quote(key)}: ${shown}`;
  });
}

function braces(open, items, close, level) {
  if (items.length === 0) return `${open}${close}`;
  const length = items.reduce((sum, item) => sum + item.length + 2, 0);
  if (length <= LINE && !items.some((item) => item.includes("\n"))) return `${open} ${items.join(", ")} ${close}`;
  const pad = "  ".repeat(level + 1);
  return `${open}\n${pad}${items.join(`,\n${pad}`)}\n${pad.slice(2)}${close}`;
}

/** The frames of an error, each named by the user's own file, down to where the runtime called the handler. */
function frames(error) {
  const lines = native.mapStack(String(error.stack ?? "")).split("\n").map((line) => line.trim());
  const all = lines.filter((line) => line.startsWith("at "));
  // As in Node, where an error is made is the first frame, not its class's own constructor.
  const own = constructors(error);
  while (own.has(/^at (\S+) \(/.exec(all[0])?.[1])) all.shift();
  const end = all.findIndex((line) => /\(lambkin:(function|http|load|timers):/.test(line));
  return end < 0 ? all : all.slice(0, end);
}

/** The names of an error's classes, up to those of the language. */
function constructors(error) {
  const names = new Set();
  for (let at = Object.getPrototypeOf(error); at && at !== Error.prototype; at = Object.getPrototypeOf(at)) names.add(at.constructor?.name);
  return names;
}

function title(error) {
  const name = error.name ?? error.constructor?.name ?? "Error";
  return error.message ? `${name}: ${error.message}` : String(name);
}

function error(value, level, settings, parents) {
  const pad = "  ".repeat(level);
  const shown = [title(value), ...frames(value).map((frame) => `${pad}    ${frame}`)].join("\n");
  const keys = Object.keys(value).filter((key) => key !== "stack" && key !== "message" && key !== "name");
  const items = entries(value, keys, level, settings, parents);
  if (value.cause !== undefined && !keys.includes("cause")) items.push(`[cause]: ${show(value.cause, level + 1, settings, parents)}`);
  if (value.errors !== undefined && !keys.includes("errors")) items.push(`[errors]: ${show(value.errors, level + 1, settings, parents)}`);
  if (items.length === 0) return frames(value).length > 0 ? shown : `[${shown}]`;
  return `${shown} {\n${pad}  ${items.join(`,\n${pad}  `)}\n${pad}}`;
}

export function format(first, ...rest) {
  const text = (value) => (typeof value === "string" ? value : inspect(value));
  if (typeof first !== "string") return [first, ...rest].map(text).join(" ");
  const formatted = first.replace(/%[sdifjoOc%]/g, (directive) => {
    if (directive === "%%") return rest.length > 0 || first !== "%%" ? "%" : directive;
    if (rest.length === 0) return directive;
    const value = rest.shift();
    switch (directive) {
      case "%s": return typeof value === "object" && value !== null ? inspect(value, { depth: 0 }) : typeof value === "bigint" ? `${value}n` : String(value);
      case "%d": return typeof value === "bigint" ? `${value}n` : String(typeof value === "object" ? NaN : Number(value));
      case "%i": return String(Number.parseInt(value, 10));
      case "%f": return String(Number.parseFloat(value));
      case "%j": return JSON.stringify(value);
      case "%c": return "";
      default: return inspect(value, { depth: directive === "%o" ? 4 : 2 });
    }
  });
  return [formatted, ...rest.map(text)].join(" ");
}

/** An error as Lambda reports it: type, message and frames; anything may have been thrown. */
export function describeError(thrown) {
  if (!(thrown instanceof Error)) {
    const isError = typeof thrown === "object" && thrown !== null && typeof thrown.message === "string";
    const message = isError ? thrown.message : typeof thrown === "string" ? thrown : inspect(thrown);
    return { name: (isError && thrown.name) || typeof thrown, message, stack: [] };
  }
  return { name: String(thrown.name || thrown.constructor?.name || "Error"), message: String(thrown.message), stack: frames(thrown) };
}
