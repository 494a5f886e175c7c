// The conformance cases as a web handler.

type Environment = Record<string, string>;

type Case = (request: Request, url: URL, env: Environment) => Response | Promise<Response>;

interface Item {
  price: number;
  qty: number;
}

export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/items/")) {
      return Response.json({ id: decodeURIComponent(url.pathname.slice("/items/".length)) });
    }
    const run = cases[`${request.method} ${url.pathname}`] ?? cases[url.pathname];
    return run ? run(request, url, env) : Response.json({ error: "not found" }, { status: 404 });
  },
};

const text = (body: string) => new Response(body, { headers: { "content-type": "text/plain" } });

// In parts: a call with millions of arguments has no stack to stand on.
const base64 = (bytes: Uint8Array) => {
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters);
};

const cases: Record<string, Case> = {
  "/echo": async (request, url) => Response.json({
    method: request.method,
    path: url.pathname,
    query: url.search.slice(1),
    header: request.headers.get("x-echo"),
    body: base64(new Uint8Array(await request.arrayBuffer())),
  }),

  "POST /binary": async (request) => new Response(await request.arrayBuffer(), {
    headers: { "content-type": "application/octet-stream" },
  }),

  "GET /cookies": (request) => {
    const cookies = (request.headers.get("cookie") ?? "").split(/[;,]\s*/).filter(Boolean);
    const names = cookies.map((cookie) => cookie.split("=")[0]).sort();
    const headers = new Headers({ "content-type": "text/plain" });
    headers.append("set-cookie", `seen=${names.join(".")}`);
    headers.append("set-cookie", "second=2; Path=/");
    headers.append("x-multi", "one");
    headers.append("x-multi", "two");
    return new Response("ok", { headers });
  },

  "POST /json": async (request) => {
    let items: Item[];
    try {
      ({ items } = await request.json());
    } catch {
      return Response.json({ error: "invalid json" }, { status: 400 });
    }
    return Response.json({ count: items.length, total: items.reduce((sum, { price, qty }) => sum + price * qty, 0) });
  },

  "GET /throw": () => { throw new Error("boom"); },

  "GET /text": () => text("plain text"),

  "GET /status": () => new Response(null, { status: 418, headers: { "x-short": "stout" } }),

  "GET /env": (request, url, env) => Response.json({ greeting: env.GREETING }),

  "GET /log": (request, url) => {
    const n = url.searchParams.get("n");
    console.log(`out: ${n}`);
    console.error(`err: ${n}`);
    return Response.json({ logged: n });
  },

  "GET /spin": () => { for (;;); },

  "GET /oom": () => {
    const hoard: Uint8Array[] = [];
    for (;;) hoard.push(new Uint8Array(1024 * 1024));
  },

  "POST /large": async (request) => Response.json({ length: (await request.arrayBuffer()).byteLength }),

  "GET /large": (request, url) => text("x".repeat(Number(url.searchParams.get("size")))),

  "GET /unicode": (request, url) => Response.json({ greeting: `Grüße, ${url.searchParams.get("name")} 世界 🐑` }),

  "GET /random": () => Response.json({ random: Math.random(), now: Date.now() }),

  "GET /sleep": async (request, url) => {
    const ms = Number(url.searchParams.get("ms"));
    await new Promise((resolve) => setTimeout(resolve, ms));
    return Response.json({ slept: ms });
  },

  "GET /context": (request) => Response.json({ requestId: request.headers.get("x-lambkin-request-id") }),
};
