// What the emulators' HTTP events are answered with.

export default {
  async fetch(request) {
    const { pathname, search, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/web/binary":
        return new Response(await request.arrayBuffer(), { headers: { "content-type": "application/octet-stream" } });
      case "/web/drip":
        return new Response(drip(searchParams.get("between")), { headers: { "content-type": "text/plain" } });
      case "/web/throw":
        throw new RangeError("too far");
      default:
        return report(request, pathname + search);
    }
  },
};

async function report(request, target) {
  const headers = new Headers({ "x-short": "stout" });
  headers.append("set-cookie", "one=1");
  headers.append("set-cookie", "two=2; Path=/");
  const { method } = request;
  const seen = { method, target, client: request.headers.get("x-client"), cookie: request.headers.get("cookie") };
  return Response.json({ ...seen, body: await request.text() }, { status: 201, headers });
}

/** Its second chunk waits for somebody else's answer, so that whoever reads the first must have been sent it. */
async function* chunks(between) {
  yield "first ";
  const answer = await fetch(between);
  yield await answer.text();
}

function drip(between) {
  const source = chunks(between);
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await source.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}
