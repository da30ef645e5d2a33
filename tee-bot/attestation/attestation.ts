/**
 * The node's proof of itself, as the rest of the node sees it. Outside a TEE there is none: keys are files then, and
 * whoever asks for evidence is told why there is not any.
 */
import type { GuestAgent } from "./dstack/guest-agent.ts";

/** Where a node runs: in a confidential VM, beside a simulator of one, or on any machine. */
export type Tee = "dstack" | "simulated" | "none";

/** Keys that the TEE derives for this application and nobody else, by path; the same after each start. */
export interface TeeKeys {
  /** 32 bytes for one use, HKDF from the agent's key at `postern/<use>`. */
  derive(use: KeyUse): Promise<Uint8Array>;
}

export const keyUses = ["identity", "tls", "acme-account", "storage", "receipt", "e2ee"] as const;
export type KeyUse = (typeof keyUses)[number];

export interface TeeContext {
  readonly tee: Exclude<Tee, "none">;
  readonly agent: GuestAgent;
  readonly keys: TeeKeys;
}
