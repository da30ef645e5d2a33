/** The keyset of this node: what it may say of itself at a time, made of values. */
import { keysetDigest, type Keyset } from "../../../shared/attestation/keyset.ts";
import type { ListedKey } from "./listed-keys.ts";

export interface KeysetParts {
  readonly receiptKey: ListedKey;
  readonly e2eeKey: ListedKey;
  /** The public names, for all of which the certificate is of one key. */
  readonly hostnames: readonly string[];
  /** SHA-256 of that key's SubjectPublicKeyInfo, hex. */
  readonly spkiSha256: string;
  readonly node: string;
  readonly acmeAccounts: readonly string[];
  /** `dstack-app://<id>`. */
  readonly subject: string;
  /** Of the node's bot; undefined: there is none, or it is not known. */
  readonly signal: SignalIdentity | undefined;
}

export interface SignalIdentity {
  /** Public, with its type byte, hex. */
  readonly key: string;
  /** The half of every safety number of it that is its own: 30 digits. */
  readonly safetyNumber: string;
}

/** A keyset with its digest. */
export interface SealedKeyset {
  readonly keyset: Keyset;
  /** SHA-256 of its JCS form, hex. */
  readonly digest: string;
}

/** How long a keyset goes unchanged; it lasts for one to two of these. */
export const keysetPeriodSeconds = 7 * 24 * 3_600;

/**
 * The end of a keyset made now, seconds since 1970. Of the time alone, so that a node that starts again has the same keyset
 * and receipts of before still name it.
 */
export function decideNotAfter(now: number): number {
  return (Math.floor(now / keysetPeriodSeconds) + 2) * keysetPeriodSeconds;
}

/** Names and accounts in order, so that the same keys are the same keyset. */
export async function sealKeyset(parts: KeysetParts, now: number): Promise<SealedKeyset> {
  const { receiptKey, e2eeKey, hostnames, spkiSha256, node, acmeAccounts, subject, signal } = parts;
  const keyset: Keyset = {
    receipt_signing_keys: [{ ...receiptKey }],
    e2ee_public_keys: [{ ...e2eeKey }],
    tls_public_keys: [...new Set(hostnames)].toSorted().map((domain) => ({ domain, spki_sha256: spkiSha256 })),
    not_after: decideNotAfter(now),
    subject,
    node_id: node,
    acme_accounts: [...new Set(acmeAccounts)].toSorted(),
    ...(signal && { signal_identity: signal.key, signal_safety_number: signal.safetyNumber }),
  };
  return { keyset, digest: Buffer.from(await keysetDigest(keyset)).toString("hex") };
}
