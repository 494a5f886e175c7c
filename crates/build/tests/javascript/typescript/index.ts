import type { LambkinContext, WebContext, WebHandler } from "@lambkin/types";

enum Kind { Lamb = "lamb", Goat = "goat" }

interface Item { id: string; kind: Kind; at: LambkinContext["component"] }

abstract class Shelf<T extends Item> {
  constructor(protected readonly items: T[]) {}
  find(id: string): T | undefined { return this.items.find((item) => item.id === id); }
}

class Shop extends Shelf<Item> {
  override find(id: string): Item | undefined {
    if (id === "broken") throw new TypeError("not for sale" as string);
    return super.find(id);
  }
}

const shop = new Shop([{ id: "1", kind: Kind.Lamb, at: "guest" } satisfies Item]);

export default {
  async fetch(request: Request, env: Record<string, string>, context: WebContext): Promise<Response> {
    context.waitUntil(Promise.resolve(env));
    const item = shop.find(new URL(request.url).pathname.slice(1));
    return item ? Response.json(item) : new Response(null, { status: 404 });
  },
} satisfies WebHandler;
