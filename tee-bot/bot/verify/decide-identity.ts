/** Which Signal identity is the bot's own, by what signal-cli lists of all whom it knows. Rules only. */
import type { SignalIdentity } from "../../attestation/evidence/keyset.ts";
import { digitsOf, hasHalf, safetyHalf } from "../../attestation/client/safety-number.ts";

/** An entry of `GET /v1/identities/{account}`. */
export interface ListedIdentity {
  readonly number?: string | null | undefined;
  readonly uuid?: string | null | undefined;
  /** The public key: hex with spaces. */
  readonly fingerprint: string;
  /** With the account; may be empty. */
  readonly safety_number: string;
}

/** Type byte and Curve25519 key. */
const keyPattern = /^05[0-9a-f]{64}$/;
const uuidPattern = /^[0-9a-f]{32}$/;

/**
 * Undefined where the list does not tell for certain. signal-cli lists the account among the others, and may do so twice: an
 * account has another key for its number (PNI), which no safety number of ours is made of. So the half that a key gives
 * must be the one in the safety numbers that signal-cli computes itself.
 */
export function decideOwnIdentity(listed: readonly ListedIdentity[], account: string): SignalIdentity | undefined {
  const own = listed.filter(({ number }) => number === account);
  const others = listed.filter((entry) => !own.includes(entry)).flatMap(({ safety_number: shown }) => shown || []);
  const proven = own.flatMap((entry) => identityOf(entry) ?? []).filter((one) => isOurs(one, own, others));
  const [first, ...more] = proven;
  return more.some(({ key }) => key !== first?.key) ? undefined : first;
}

function identityOf({ fingerprint, uuid }: ListedIdentity): SignalIdentity | undefined {
  const key = fingerprint.replaceAll(/\s/g, "").toLowerCase();
  const id = (uuid ?? "").replaceAll("-", "").toLowerCase();
  if (!keyPattern.test(key) || !uuidPattern.test(id)) return undefined;
  return { key, safetyNumber: safetyHalf(Buffer.from(key, "hex"), Buffer.from(id, "hex")) };
}

/** With itself the account has the same half twice; with everybody else once. */
function isOurs({ safetyNumber }: SignalIdentity, own: readonly ListedIdentity[], others: readonly string[]): boolean {
  if (own.some(({ safety_number: shown }) => digitsOf(shown) === safetyNumber + safetyNumber)) return true;
  return others.length > 0 && others.every((shown) => hasHalf(shown, safetyNumber));
}
