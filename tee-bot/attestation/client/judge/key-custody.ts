/** Whether the keys of the keyset were derived for the measured application by its key provider. */
import { createHash } from "node:crypto";
import { failed, pass, skip, type Check } from "../../../../shared/attestation/check.ts";
import { verifyCustody } from "../../../../shared/attestation/custody.ts";
import type { Custody } from "../../../../shared/attestation/evidence.ts";
import type { Keyset } from "../../../../shared/attestation/keyset.ts";

export interface CustodyFacts {
  /** Undefined: the quote does not bind the one that was shown. */
  readonly keyset: Keyset | undefined;
  readonly custody: readonly Custody[];
  /** As measured. */
  readonly appId: string | undefined;
  /** Public keys of the roots of key providers that the caller trusts; undefined: none is pinned. */
  readonly roots: readonly string[] | undefined;
}

/** The check `key-custody`. */
export function judgeKeyCustody({ keyset, custody, appId, roots }: CustodyFacts): Check {
  const skipped = (why: string): Check => skip("key-custody", why);
  if (!keyset) return skipped("The quote binds no keyset.");
  if (appId === undefined) return skipped("The application's id was not measured.");
  if (custody.length === 0) return skipped("The node shows no chain of signatures for its keys.");
  const keys = keysOf(keyset);
  const seenRoots = new Set<string>();
  const covered = new Set<string>();
  let unproven = false;
  for (const one of custody) {
    const key = fingerprintOf(one);
    if (!keys.has(key)) return failed("key-custody", `The chain for ${one.key} is of a key that is not in the keyset.`);
    const verdict = verifyCustody(one, { appId, kmsRoots: roots });
    if (verdict.verdict === "refused") return failed("key-custody", `${one.key}: ${verdict.reason}`);
    unproven ||= verdict.verdict === "unknown";
    seenRoots.add(verdict.root);
    covered.add(key);
  }
  const bare = [...keys].filter(([key]) => !covered.has(key)).map(([, name]) => name);
  const root = [...seenRoots].join(", ");
  if (bare.length > 0) return skipped(`There is no chain for ${bare.join(", ")}.`);
  if (unproven)
    return skipped(`The chains end in the key provider's root ${root}; the policy names none to compare it with.`);
  return pass(
    "key-custody",
    `All ${keys.size} keys were derived for this application under the key provider's root ${root}.`,
  );
}

/** Every key that the keyset names, with what to call it. */
function keysOf({
  node_id: node,
  tls_public_keys,
  receipt_signing_keys,
  e2ee_public_keys,
}: Keyset): Map<string, string> {
  return new Map([
    ...(node === undefined ? [] : [[`identity ${node}`, "the node's identity"] as const]),
    ...tls_public_keys.map(({ spki_sha256, domain }) => [`tls ${spki_sha256}`, `TLS of ${domain}`] as const),
    ...receipt_signing_keys.map(({ public_key, key_id }) => [`receipt ${public_key}`, key_id] as const),
    ...e2ee_public_keys.map(({ public_key, key_id }) => [`e2ee ${public_key}`, key_id] as const),
  ]);
}

/** TLS keys stand in the keyset by the digest of their SubjectPublicKeyInfo, all others as they are. */
function fingerprintOf({ key, public_key }: Custody): string {
  if (key !== "tls") return `${key} ${public_key}`;
  return `tls ${createHash("sha256").update(public_key, "hex").digest("hex")}`;
}
