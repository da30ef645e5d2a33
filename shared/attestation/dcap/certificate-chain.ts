/** Chains of certificates in PEM, up to a root that the caller has pinned. */
import { fromPem } from "./pem.ts";
import { isSignedBy, parseCertificate, type Certificate } from "./certificate.ts";
import { rejected } from "../rejected.ts";

/** Intel's are of two or three. */
const maxChainLength = 4;

/** Leaf first. `what` begins the sentence when it cannot be read. */
export function parseChain(pem: string, what: string): Certificate[] {
  const ders = fromPem(pem);
  if (!ders || ders.length === 0 || ders.length > maxChainLength)
    throw rejected(`${what} is no chain of certificates.`);
  return ders.map(parseCertificate);
}

export interface ChainRules {
  /** DER of the certificate in which the chain must end. */
  readonly root: Uint8Array;
  readonly seconds: number;
  /** How many certificates it has with the root, which tells its leaf's role: a root signs no platform itself. */
  readonly length: number;
  /** Whether its first certificate is an authority's too: one that signs revocation lists. */
  readonly beginsWithAuthority?: boolean;
  readonly what: string;
}

/** Throws unless each certificate is valid, signed by the next, and the last one is the pinned root, byte for byte. */
export async function verifyChain(
  chain: readonly Certificate[],
  { root, seconds, length, beginsWithAuthority = false, what }: ChainRules,
): Promise<void> {
  const last = chain.at(-1);
  if (!last || !sameBytes(last.der, root)) throw rejected(`${what} does not end in the pinned root.`);
  if (chain.length !== length) throw rejected(`${what} has ${chain.length} certificates; ${length} are due.`);
  for (const [at, certificate] of chain.entries()) {
    const issuer = chain[at + 1] ?? last;
    if (seconds < certificate.notBefore || seconds > certificate.notAfter)
      throw rejected(`${what} has a certificate that is not valid at this time.`);
    if ((certificate.isAuthority && certificate.maySignCertificates) !== (at > 0 || beginsWithAuthority))
      throw rejected(`${what} has a certificate in a place that it was not made for.`);
    if (certificate.issuer !== issuer.subject || !(await isSignedBy(certificate, issuer.publicKey)))
      throw rejected(`${what} has a certificate that the next one has not signed.`);
  }
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
