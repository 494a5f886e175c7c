// `node:url`: the web's URLs, and what remains of Node's older ones.

import { URL, URLSearchParams } from "lambkin:url";
import { parse as parseQuery } from "node:querystring";

export function fileURLToPath(url) {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:") throw new TypeError("The URL must be of scheme file");
  return decodeURIComponent(pathname);
}

export const pathToFileURL = (path) => new URL(`file://${encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23")}`);

export function parse(text, query = false) {
  const url = URL.parse(text);
  const { pathname, search, hash } = url ?? new URL(text, "http://relative");
  const auth = url?.username ? decodeURIComponent(url.username) + (url.password ? `:${decodeURIComponent(url.password)}` : "") : null;
  return {
    protocol: url?.protocol ?? null, slashes: url ? true : null, auth, host: url?.host ?? null, port: url?.port || null,
    hostname: url?.hostname ?? null, hash: hash || null, search: search || null, pathname, path: pathname + search,
    query: query ? parseQuery(search.slice(1)) : search.slice(1) || null, href: url?.href ?? text,
  };
}

export function format(url) {
  if (typeof url === "string" || url instanceof URL) return String(url);
  const host = url.host ?? (url.hostname ? `${url.hostname}${url.port ? `:${url.port}` : ""}` : "");
  const search = url.search ?? (url.query ? `?${new URLSearchParams(url.query)}` : "");
  const protocol = url.protocol ? `${url.protocol.replace(/:?$/, ":")}//` : "";
  return `${protocol}${url.auth ? `${url.auth}@` : ""}${host}${url.pathname ?? ""}${search}${url.hash ?? ""}`;
}

export const resolve = (from, to) => {
  const target = new URL(to, new URL(from, "resolve://base"));
  return target.protocol === "resolve:" ? target.pathname + target.search + target.hash : target.href;
};

export const domainToASCII = (domain) => URL.parse(`http://${domain}`)?.hostname ?? "";
export const domainToUnicode = (domain) => domain;
export const urlToHttpOptions = (url) => ({
  protocol: url.protocol, hostname: url.hostname, path: url.pathname + url.search, href: url.href, port: url.port ? Number(url.port) : undefined,
});

export { URL, URLSearchParams };
export default { URL, URLSearchParams, fileURLToPath, pathToFileURL, parse, format, resolve, domainToASCII, domainToUnicode, urlToHttpOptions };
