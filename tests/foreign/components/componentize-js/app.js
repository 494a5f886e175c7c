// A web handler for componentize-js, in the form of its own documentation: a listener of the fetch event.

addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const url = new URL(request.url);
  switch (url.pathname) {
    case "/echo":
      return new Response(await request.arrayBuffer(), {
        headers: { "content-type": "application/octet-stream" },
      });
    case "/teapot": {
      const headers = new Headers({ "x-short": "stout" });
      headers.append("set-cookie", "one=1");
      headers.append("set-cookie", "two=2; Path=/");
      return new Response("short and stout", { status: 418, headers });
    }
    case "/fetch":
      try {
        const response = await fetch(request.headers.get("x-url"));
        return new Response(await response.text(), { status: response.status });
      } catch (error) {
        return new Response(String(error), { status: 502 });
      }
    default: {
      const text = `${request.method} ${url.pathname}${url.search} ${request.headers.get("x-client")}`;
      return new Response(text, { headers: { "content-type": "text/plain" } });
    }
  }
}
