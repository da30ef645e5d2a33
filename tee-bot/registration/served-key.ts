import { digestOfSpki } from "../certificate/spki.ts";
import type { TlsKey } from "../certificate/tls-key.ts";
import type { Custody } from "../config.ts";
import type { Target } from "../expose/target.ts";
import type { NameWatch } from "../health/name-watch.ts";

/**
 * The key that visitors meet, where the edge cannot know it: SHA-256 of its SubjectPublicKeyInfo, in hexadecimal. A node
 * that orders by itself has its own; one that hands TLS on has that of the server, as far as it was seen.
 */
export function decideServedKey(
  custody: Custody,
  { kind }: Pick<Target, "kind">,
  key: Pick<TlsKey, "spki">,
  { expected }: Pick<NameWatch, "expected">,
): string | undefined {
  if (kind !== "tls" && custody === "edge") return undefined;
  const spki = kind === "tls" ? expected : key.spki;
  return spki && digestOfSpki(spki);
}
