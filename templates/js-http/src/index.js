// {{name}}: a web handler. Hono and other frameworks for web standards work as well: `export default app`.
export default {
  /** @param {Request} request @param {Record<string, string>} env @param {{ waitUntil(promise: Promise<unknown>): void }} context */
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    const id = /^\/items\/([^/]+)$/.exec(pathname)?.[1];
    if (id !== undefined) return Response.json({ id: decodeURIComponent(id) });
    return Response.json({ message: "Hello from {{name}}!", path: pathname });
  },
};
