import { Hono } from "hono";
import { cors } from "hono/cors";

const app = new Hono();
app.use("/api/*", cors());
app.get("/api/items/:id", (c) => c.json({ id: c.req.param("id"), q: c.req.queries("q"), greeting: c.env.GREETING }));
app.post("/echo", async (c) => c.body(await c.req.arrayBuffer(), 201, { "content-type": "application/octet-stream" }));
app.get("/stream", (c) => {
  const parts = ["one,", "two,", "three"];
  return c.body(new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const part = parts.shift();
      if (part) controller.enqueue(new TextEncoder().encode(part));
      else controller.close();
    },
  }));
});
app.get("/fetch", async (c) => {
  const answer = await fetch(c.req.query("url"), { method: "POST", body: "from the guest", headers: { "x-guest": "lamb" } });
  return c.json({ status: answer.status, header: answer.headers.get("x-server"), text: await answer.text() });
});
app.get("/throw", () => { throw new Error("boom"); });
app.onError((error) => { throw error; });

export default app;
