// `node:path` as on POSIX.

export const sep = "/";
export const delimiter = ":";

export const isAbsolute = (path) => path.startsWith("/");

export function normalize(path) {
  if (path === "") return ".";
  const absolute = isAbsolute(path);
  const kept = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!absolute) kept.push(part);
  }
  const joined = kept.join("/");
  if (joined === "") return absolute ? "/" : path.endsWith("/") ? "./" : ".";
  return `${absolute ? "/" : ""}${joined}${path.endsWith("/") ? "/" : ""}`;
}

export const join = (...parts) => normalize(parts.filter((part) => part !== "").join("/"));

export function resolve(...parts) {
  let path = "";
  for (const part of ["/", ...parts]) path = part === "" ? path : isAbsolute(part) ? part : `${path}/${part}`;
  const normal = normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

export function relative(from, to) {
  const one = resolve(from).split("/").filter(Boolean), two = resolve(to).split("/").filter(Boolean);
  let same = 0;
  while (same < one.length && same < two.length && one[same] === two[same]) same++;
  return [...one.slice(same).map(() => ".."), ...two.slice(same)].join("/");
}

export function dirname(path) {
  const trimmed = path.replace(/(.)\/+$/, "$1");
  const at = trimmed.lastIndexOf("/");
  return at < 0 ? "." : at === 0 ? "/" : trimmed.slice(0, at).replace(/(.)\/+$/, "$1");
}

export function basename(path, suffix = "") {
  const name = path.replace(/\/+$/, "").split("/").pop() ?? "";
  return suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

export function extname(path) {
  const name = basename(path);
  const at = name.lastIndexOf(".");
  return at <= 0 ? "" : name.slice(at);
}

export function parse(path) {
  const root = isAbsolute(path) ? "/" : "";
  const base = basename(path), ext = extname(path);
  const dir = dirname(path);
  return { root, dir: dir === "." && !path.startsWith(".") ? "" : dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
}

export function format({ root = "", dir, base, name = "", ext = "" }) {
  const file = base ?? `${name}${ext && !ext.startsWith(".") ? "." : ""}${ext}`;
  return dir ? (dir === root ? `${dir}${file}` : `${dir}/${file}`) : `${root}${file}`;
}

export const toNamespacedPath = (path) => path;

const path = { sep, delimiter, isAbsolute, normalize, join, resolve, relative, dirname, basename, extname, parse, format, toNamespacedPath };
path.posix = path;
export const posix = path;
export default path;
