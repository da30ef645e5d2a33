import type { Caller } from "../access/access.ts";

/** What a page is told besides its request: who asks, as the door has found; undefined outside the API. */
export interface PageEnvironment {
  Bindings: { caller?: Caller };
}
