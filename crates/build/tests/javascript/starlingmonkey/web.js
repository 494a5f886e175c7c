// A web handler whose top level needs what only an instance has.

const loaded = { started: Date.now(), chance: Math.random(), greeting: process.env.GREETING, token: crypto.randomUUID() };

function stream() {
  const parts = ["one,", "two,", "three"];
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const part = parts.shift();
      if (part) controller.enqueue(new TextEncoder().encode(part));
      else controller.close();
    },
  });
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/echo": return new Response(await request.arrayBuffer(), { status: 201 });
      case "/stream": return new Response(stream());
      case "/loaded": return Response.json(loaded);
      case "/throw": throw new TypeError("boom");
      case "/fetch": return fetch(url.searchParams.get("url"), { method: "POST", body: "from the guest", headers: { "x-guest": "lamb" } });
    }
    const { method, headers } = request;
    const answer = Response.json({ method, url: request.url, one: headers.get("x-one"), greeting: env.GREETING, process: process.env.GREETING });
    answer.headers.append("set-cookie", "a=1");
    answer.headers.append("set-cookie", "b=2");
    return answer;
  },
};
