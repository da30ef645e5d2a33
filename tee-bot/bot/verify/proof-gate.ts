/**
 * Whether the bot may chat at all where its settings say `signal.requireProof`: only while the node's own verifier finds the
 * node's evidence good. Where the chat's model is at an attested provider whose evidence is bad, nobody has to be asked
 * here: the gateway withholds that model, and by `signal.privacy: attested` whatever is in no TEE.
 */
import type { Tee } from "../../attestation/attestation.ts";
import type { Standing } from "../../attestation/evidence/standing.ts";

/** `sentence`: for the person, in place of an answer. */
export type ChatPermission = { readonly ok: true } | { readonly ok: false; readonly sentence: string };

export interface GateFacts {
  /** `signal.requireProof`. */
  readonly isRequired: boolean;
  readonly tee: Tee;
  /** Of the node's own evidence, now. */
  readonly standing: Standing;
}

/** Ends in each refusal: what a person can do. */
const advice = "Your message was not read by a model. `!verify` says more.";

/**
 * Asked before each question to the model. Unknown is not good. A simulator's evidence is let through where that is how the
 * node was set up; `!verify` says it.
 */
export function decideChat({ isRequired, tee, standing }: GateFacts): ChatPermission {
  if (!isRequired) return { ok: true };
  if (tee === "none") return refuse("This bot has to prove that it runs in a TEE, and it runs in none.");
  if (standing.state === "unknown")
    return refuse(
      "This bot has to prove that it runs in a TEE, and its evidence has not been checked yet. Try again in a minute.",
    );
  if (standing.state === "bad")
    return refuse(
      "This bot has to prove that it runs in a TEE, and its evidence is not good now. Its operator has to look at it.",
    );
  return { ok: true };
}

const refuse = (why: string): ChatPermission => ({ ok: false, sentence: `${why} ${advice}` });
