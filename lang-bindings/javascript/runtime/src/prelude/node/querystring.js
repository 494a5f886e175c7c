// `node:querystring`.

export const escape = (text) => encodeURIComponent(text);

export function unescape(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function stringify(values, separator = "&", equals = "=") {
  const one = (value) => (["string", "number", "bigint", "boolean"].includes(typeof value) ? escape(String(value)) : "");
  return Object.entries(values ?? {})
    .flatMap(([name, value]) => [value].flat().map((item) => `${escape(name)}${equals}${one(item)}`))
    .join(separator);
}

export function parse(text, separator = "&", equals = "=") {
  const values = Object.create(null);
  for (const pair of String(text ?? "").split(separator).filter(Boolean)) {
    const at = pair.indexOf(equals);
    const part = (raw) => unescape(raw.replaceAll("+", " "));
    const name = part(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? "" : part(pair.slice(at + equals.length));
    values[name] = name in values ? [values[name], value].flat() : value;
  }
  return values;
}

export { parse as decode, stringify as encode };
export default { escape, unescape, stringify, parse, decode: parse, encode: stringify };
