// A web handler: a request in, a response out.
interface Greeting {
  language: string;
  greeting: string;
}

export default {
  async fetch(request: Request): Promise<Response> {
    const name = decodeURIComponent(new URL(request.url).pathname.split("/").pop() ?? "");
    const greeting: Greeting = { language: "TypeScript", greeting: `Grüß dich, ${name}!` };
    return Response.json(greeting);
  },
};
