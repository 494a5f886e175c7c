// Calls what the event asks for and answers with what came of it.

import * as files from "lambkin/files";
import { start } from "lambkin/jobs";
import * as websocket from "lambkin/websocket";

const CALLS = {
  "files.put": ({ folder, path, text, type }) => files.put(folder, path, text, { contentType: type }),
  "files.get": async ({ folder, path }) => {
    const { data, contentType, etag } = await files.get(folder, path);
    return { text: new TextDecoder().decode(data), type: contentType, etag };
  },
  "files.list": async ({ folder, path, after }) => {
    const { entries, next } = await files.list(folder, path, { after });
    return { entries: entries.map((it) => ({ path: it.path, size: it.size, recent: it.lastModified > new Date("2026") })), next: next ?? null };
  },
  "files.delete": ({ folder, path }) => files.remove(folder, path),
  "files.getUrl": ({ folder, path, seconds: expiresIn }) => files.getUrl(folder, path, { expiresIn }),
  "files.putUrl": ({ folder, path, type: contentType, seconds: expiresIn }) => files.putUrl(folder, path, { contentType, expiresIn }),
  "files.postForm": async ({ folder, path, type: contentType, seconds: expiresIn, most: maxBytes = 100 }) => {
    const { url, fields } = await files.postForm(folder, path, { contentType, expiresIn, minBytes: 1, maxBytes });
    return { url, fields: Object.entries(fields) };
  },
  "jobs.start": ({ component, event }) => start(component, event),
  "websocket.send": ({ connection, text }) => websocket.send(connection, text),
  "websocket.close": ({ connection }) => websocket.close(connection),
  "websocket.info": async ({ connection }) => {
    const { sourceIp, userAgent, connectedAt, lastActiveAt } = await websocket.info(connection);
    return { sourceIp, userAgent, age: lastActiveAt - connectedAt };
  },
  // What a job leaves behind: who it was.
  report: ({ folder, path }, context) => files.put(folder, path, context.awsRequestId),
};

export const handler = async (event, context) => {
  try {
    return { ok: (await CALLS[event.call](event, context)) ?? null };
  } catch (error) {
    return { error: { code: error.code, message: error.message, name: error.name } };
  }
};
