import type { Location } from "../providers/provider.ts";
import type { GatewaySettings } from "../settings.ts";

export interface Timeouts {
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly idleMs: number;
  readonly clientMs: number;
}

/** A model on this machine may have to be loaded first. */
export function timeoutsFor({ timeouts }: GatewaySettings, location: Location): Timeouts {
  const { connectSeconds, firstTokenSeconds, idleSeconds, clientSeconds } = timeouts;
  const firstToken = location === "local" ? firstTokenSeconds.local : firstTokenSeconds.cloud;
  return {
    connectMs: connectSeconds * 1_000,
    firstTokenMs: firstToken * 1_000,
    idleMs: idleSeconds * 1_000,
    clientMs: clientSeconds * 1_000,
  };
}
