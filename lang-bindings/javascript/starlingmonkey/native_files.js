// What `lambkin/files` is built on, over StarlingMonkey's bindings of `lambkin:files`.

import * as host from "lambkin:files/files@0.1.0";
import { answer } from "./answer.js";

const option = (value) => value ?? undefined;

export default {
  filesGet: (folder, path) => answer(() => host.get(folder, path)),
  filesPut: (folder, path, data, contentType) => answer(() => host.put(folder, path, data, option(contentType))),
  filesList: (folder, prefix, after) => answer(() => {
    const { entries, next } = host.entries(folder, prefix, option(after));
    const numbers = ({ size, lastModifiedMs, ...rest }) => ({ ...rest, size: Number(size), lastModified: Number(lastModifiedMs) });
    return { entries: entries.map(numbers), next };
  }),
  filesDelete: (folder, path) => answer(() => host.delete(folder, path)),
  filesGetUrl: (folder, path, seconds) => answer(() => host.getUrl(folder, path, seconds)),
  filesPutUrl: (folder, path, seconds, contentType) => answer(() => host.putUrl(folder, path, seconds, option(contentType))),
  filesPostForm: (folder, path, { expiresIn, minBytes, maxBytes, contentType }) => answer(() => {
    const bounds = { expiresSeconds: expiresIn, minBytes: BigInt(minBytes), maxBytes: BigInt(maxBytes), contentType: option(contentType) };
    const { url, fields } = host.postForm(folder, path, bounds);
    return { url, fields: Object.fromEntries(fields) };
  }),
};
