/** Finds the guest agent of the machine this runs on. */
import { existsSync } from "node:fs";
import type { Clock } from "../../../shared/clock.ts";
import type { AttestationSettings } from "../settings.ts";
import { decideAgentPlace } from "./agent-place.ts";
import { DstackAgent } from "./dstack-agent.ts";
import type { GuestAgent } from "./guest-agent.ts";
import { TappdAgent } from "./tappd-agent.ts";

export interface ConnectOptions extends Pick<AttestationSettings, "tee" | "socket"> {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

export type Connected =
  | { readonly tee: "dstack" | "simulated"; readonly agent: GuestAgent }
  /** `reason` is a sentence. */
  | { readonly tee: "none"; readonly reason: string };

/** Nothing is asked of it yet. Throws {@link AppError} as `decideAgentPlace` does. */
export function connectGuestAgent({ env, clock, ...settings }: ConnectOptions): Connected {
  const place = decideAgentPlace(settings, { env, exists: existsSync });
  if (place.tee === "none") return place;
  const { tee, address, api } = place;
  return { tee, agent: api === "tappd" ? new TappdAgent(address, clock) : new DstackAgent(address, clock) };
}
