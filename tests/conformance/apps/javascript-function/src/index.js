// The conformance cases as an AWS Lambda handler for HTTP API events, payload format 2.0.

export const handler = async (event, context) => {
  const { rawPath: path, requestContext } = event;
  if (path.startsWith("/items/")) return answer({ id: event.pathParameters.id });
  const run = cases[`${requestContext.http.method} ${path}`] ?? cases[path];
  return run ? run(event, context) : answer({ error: "not found" }, 404);
};

const answer = (value, statusCode = 200) => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});

const text = (body) => ({ statusCode: 200, headers: { "content-type": "text/plain" }, body });

const bodyOf = (event) => Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");

const queryOf = (event, name) => new URLSearchParams(event.rawQueryString).get(name);

const cases = {
  "/echo": (event) => answer({
    method: event.requestContext.http.method,
    path: event.rawPath,
    query: event.rawQueryString,
    header: event.headers["x-echo"] ?? null,
    body: bodyOf(event).toString("base64"),
  }),

  "POST /binary": (event) => ({
    statusCode: 200,
    headers: { "content-type": "application/octet-stream" },
    body: bodyOf(event).toString("base64"),
    isBase64Encoded: true,
  }),

  "GET /cookies": (event) => {
    const names = (event.cookies ?? []).map((cookie) => cookie.split("=")[0]).sort();
    return {
      statusCode: 200,
      headers: { "content-type": "text/plain", "x-multi": "one,two" },
      cookies: [`seen=${names.join(".")}`, "second=2; Path=/"],
      body: "ok",
    };
  },

  "POST /json": (event) => {
    let items;
    try {
      ({ items } = JSON.parse(bodyOf(event).toString()));
    } catch {
      return answer({ error: "invalid json" }, 400);
    }
    return answer({ count: items.length, total: items.reduce((sum, { price, qty }) => sum + price * qty, 0) });
  },

  "GET /throw": () => { throw new Error("boom"); },

  "GET /text": () => "plain text",

  "GET /status": () => ({ statusCode: 418, headers: { "x-short": "stout" }, body: "" }),

  "GET /env": () => answer({ greeting: process.env.GREETING }),

  "GET /log": (event) => {
    const n = queryOf(event, "n");
    console.log(`out: ${n}`);
    console.error(`err: ${n}`);
    return answer({ logged: n });
  },

  "GET /spin": () => { for (;;); },

  "GET /oom": () => {
    const hoard = [];
    for (;;) hoard.push(new Uint8Array(1024 * 1024));
  },

  "POST /large": (event) => answer({ length: bodyOf(event).length }),

  "GET /large": (event) => text("x".repeat(Number(queryOf(event, "size")))),

  "GET /unicode": (event) => answer({ greeting: `Grüße, ${queryOf(event, "name")} 世界 🐑` }),

  "GET /random": () => answer({ random: Math.random(), now: Date.now() }),

  "GET /sleep": async (event) => {
    const ms = Number(queryOf(event, "ms"));
    await new Promise((resolve) => setTimeout(resolve, ms));
    return answer({ slept: ms });
  },

  "GET /context": (event, context) => answer({
    requestId: context.awsRequestId,
    functionName: context.functionName,
    remaining: context.getRemainingTimeInMillis(),
  }),
};
