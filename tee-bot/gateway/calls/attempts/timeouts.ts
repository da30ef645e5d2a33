import type { Provider } from "../../providers/provider.ts";
import type { GatewaySettings } from "../../settings.ts";

export interface Timeouts {
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly idleMs: number;
  readonly clientMs: number;
}

/** A model on this machine may have to be loaded first, and the embedded engine starts with its first connection. */
export function timeoutsFor({ timeouts }: GatewaySettings, provider: Pick<Provider, "kind" | "location">): Timeouts {
  const { connectSeconds, firstTokenSeconds, idleSeconds, clientSeconds } = timeouts;
  const firstToken = provider.location === "local" ? firstTokenSeconds.local : firstTokenSeconds.cloud;
  return {
    connectMs: (provider.kind === "embedded" ? firstToken : connectSeconds) * 1_000,
    firstTokenMs: firstToken * 1_000,
    idleMs: idleSeconds * 1_000,
    clientMs: clientSeconds * 1_000,
  };
}
