// `lambkin/files`: files in S3, in the folders that the manifest grants.

import native from "lambkin:native/files";
import { bytesOf, errorOf, take } from "lambkin:guest/call";

export const FilesError = errorOf("FilesError");

const HOUR = 3600;

export async function get(folder, path) {
  return take(native.filesGet(folder, path), FilesError);
}

export async function put(folder, path, data, { contentType } = {}) {
  return take(native.filesPut(folder, path, bytesOf(data), contentType ?? null), FilesError);
}

export async function list(folder, prefix = "", { after } = {}) {
  const { entries, next } = take(native.filesList(folder, prefix, after ?? null), FilesError);
  return { entries: entries.map((entry) => ({ ...entry, lastModified: new Date(entry.lastModified) })), next };
}

// `delete` is a word of the language.
export async function remove(folder, path) {
  take(native.filesDelete(folder, path), FilesError);
}

export async function getUrl(folder, path, { expiresIn = HOUR } = {}) {
  return take(native.filesGetUrl(folder, path, expiresIn), FilesError);
}

export async function putUrl(folder, path, { expiresIn = HOUR, contentType } = {}) {
  return take(native.filesPutUrl(folder, path, expiresIn, contentType ?? null), FilesError);
}

export async function postForm(folder, path, { expiresIn = HOUR, minBytes = 0, maxBytes = 5 * 2 ** 30, contentType } = {}) {
  return take(native.filesPostForm(folder, path, { expiresIn, minBytes, maxBytes, contentType: contentType ?? null }), FilesError);
}
