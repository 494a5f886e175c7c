// GET: what has been measured. POST: a form by which the browser uploads one photo to S3 itself.

import { get, list, postForm } from "lambkin/files";

const MAX_BYTES = 5 * 1024 * 1024;

export const handler = async (event) => {
  if (event.httpMethod === "GET") return reply(200, await measured());
  // Every body is binary to this API.
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const { name, type, connection } = JSON.parse(body);
  if (!/^[\w.-]{1,100}$/.test(name)) return reply(400, { message: "a name has letters, digits, dots and dashes" });
  if (!/^image\/(png|jpeg|gif)$/.test(type)) return reply(400, { message: "a photo is a PNG, a JPEG or a GIF" });
  // The connection is part of the path, so that the job knows whom to tell.
  const path = `incoming/${encodeURIComponent(connection)}/${name}`;
  return reply(200, await postForm("photos", path, { expiresIn: 300, minBytes: 1, maxBytes: MAX_BYTES, contentType: type }));
};

async function measured() {
  const { entries } = await list("photos", "measured/");
  const texts = entries.map(async ({ path }) => JSON.parse(new TextDecoder().decode((await get("photos", path)).data)));
  return Promise.all(texts);
}

const reply = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
