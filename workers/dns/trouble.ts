import type { ProviderError, ProviderFailureKind } from "./provider.ts";
import type { Trouble } from "../../shared/acme/ports.ts";

const remedies: Record<ProviderFailureKind, string> = {
  unavailable: "Nothing has to be done if it passes; else look at the status page of the DNS provider.",
  "rate-limited":
    "Nothing has to be done: writing goes on when the provider allows it; look for other users of its API if it stays.",
  unauthorized:
    "Give the token Zone → DNS → Edit for this zone (secret CLOUDFLARE_API_TOKEN), and see that ZONE_ID is this zone's.",
  quota:
    "Delete records that are not needed from the zone, or take a plan with more of them; writing is tried again every 10 minutes.",
  conflict: "Look at the records of this name at the DNS provider: one that is not Postern's stands in the way.",
  refused: "Look at the records of this name at the DNS provider: one that is not Postern's may stand in the way.",
};

/** What a person is told of a failure of the provider. */
export function troubleOf({ kind, message }: Pick<ProviderError, "kind" | "message">): Trouble {
  return { detail: message, remedy: remedies[kind] };
}
