/**
 * Whose name it is. A quote that binds the connection's key proves that a TEE answers, not whose: anybody may run one.
 * The name proves itself where it spells the node's key; else a certificate has to tie it to the attested key.
 */
import { failed, pass, skip, type Check } from "../../../../shared/attestation/check.ts";
import type { Keyset } from "../../../../shared/attestation/keyset.ts";
import { nodeIdOfLabel } from "../../../../shared/registry/node-id.ts";
import { brief } from "./binding.ts";
import type { CertificateTrust } from "../observation.ts";

export interface NameFacts {
  readonly hostname: string;
  /** Undefined: the quote does not bind the one that was shown. */
  readonly keyset: Keyset | undefined;
  /** SHA-256 of the connection's SPKI, hex. */
  readonly spkiSha256: string;
  readonly certificate: CertificateTrust;
  /** The node that the caller expects. */
  readonly expected: string | undefined;
}

/** The check `name`. */
export function judgeName({ hostname, keyset, spkiSha256, certificate, expected }: NameFacts): Check {
  if (!keyset) return skip("name", "The quote binds no keyset, so it is not known which node answers.");
  const node = keyset.node_id;
  if (expected !== undefined && node !== expected)
    return failed("name", `Node ${node ? brief(node) : "without an id"} answers, and ${brief(expected)} is expected.`);
  const spelt = nodeIdOfLabel(hostname.split(".")[0] ?? "");
  if (spelt !== undefined && node !== spelt)
    return failed("name", `The name spells the node ${brief(spelt)}, and ${node ? brief(node) : "another"} answers.`);
  if (certificate.state === "other-name") return failed("name", certificate.problem);
  if (spelt !== undefined)
    return pass("name", `The name spells the key of the node, ${brief(spelt)}, which the quote binds.`);
  if (expected !== undefined) return pass("name", `The node is ${brief(expected)}, as expected.`);
  if (certificate.state === "untrusted")
    return skip("name", `${certificate.problem} So nobody vouches that ${hostname} is this node's name.`);
  const named = keyset.tls_public_keys.some(
    ({ domain, spki_sha256 }) => spki_sha256 === spkiSha256 && domain.toLowerCase() === hostname,
  );
  return named
    ? pass("name", `A CA that this machine trusts vouches for ${hostname}, and the node names it for this key.`)
    : skip("name", `The certificate is good for ${hostname}, but the node's keyset does not name it for this key.`);
}
