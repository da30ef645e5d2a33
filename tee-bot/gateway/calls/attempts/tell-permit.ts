import type { Permit } from "../../routing/route.ts";
import type { Trouble } from "./trouble.ts";

/** Tells a provider's breaker of a failed attempt: whether the provider is at fault, and for how long it wants peace. */
export function tellPermit(permit: Permit, trouble: Trouble): void {
  switch (trouble.kind) {
    case "transient":
    case "limited":
      permit.failed(trouble.retryAfterMs);
      break;
    case "silent":
    case "unfit":
    case "key-refused":
      permit.failed();
      break;
    case "too-long":
    case "absent":
    case "unsupported":
    case "client-fault":
      permit.abandoned();
  }
  permit[Symbol.dispose]();
}
