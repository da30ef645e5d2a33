/**
 * The node's proof of itself, as the rest of the node sees it. Outside a TEE there is none: keys are files then, and
 * whoever asks for evidence is told why there is not any.
 */
import type { Custody } from "../../shared/attestation/evidence.ts";
import type { GuestAgent } from "./dstack/guest-agent.ts";

export const tees = ["dstack", "simulated", "none"] as const;

/** Where a node runs: in a confidential VM, beside a simulator of one, or on any machine. */
export type Tee = (typeof tees)[number];

/** Keys that the TEE derives for this application and nobody else, by path; the same after each start. */
export interface TeeKeys {
  /** 32 bytes for one use, HKDF from the agent's key at `postern/<use>/v1`. */
  derive(use: KeyUse): Promise<Uint8Array>;
  /** Shows that a public key is ours: signed for by the very key that {@link derive} has made it from. */
  custody(use: KeyUse, publicKey: PublicKey): Promise<Custody>;
}

export const keyUses = ["identity", "tls", "acme-account", "storage", "receipt", "e2ee", "inbox"] as const;
export type KeyUse = (typeof keyUses)[number];

/** As `custodySchema` has it. */
export interface PublicKey {
  readonly algorithm: "ed25519" | "x25519" | "p256";
  readonly bytes: Uint8Array;
}

export interface TeeContext {
  readonly tee: Exclude<Tee, "none">;
  readonly agent: GuestAgent;
  readonly keys: TeeKeys;
}

/** `reason` is a sentence: why there is no TEE. */
export type TeeState = TeeContext | { readonly tee: "none"; readonly reason: string };
