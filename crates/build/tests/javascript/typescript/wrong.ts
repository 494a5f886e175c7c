import type { WebHandler } from "@lambkin/types";

export default { fetch: async () => 42 } satisfies WebHandler;
