/**
 * A recorded certificate chain, judged at the time of the recording. OpenSSL judges at the present time only, so this is
 * our own, for this one purpose: issuers, signatures, CA marks and dates up to a trusted root. Name constraints, path
 * lengths and withdrawals are not looked at; whoever checked the live connection has had OpenSSL do that.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { CertificateTrust } from "../observation.ts";

export interface RecordedChain {
  readonly hostname: string;
  /** PEM, the leaf first. */
  readonly chain: readonly string[];
  /** PEM. */
  readonly roots: readonly string[];
  /** Seconds since 1970. */
  readonly at: number;
}

export function judgeChain({ hostname, chain, roots, at }: RecordedChain): CertificateTrust {
  const certificates = chain.map((pem) => new X509Certificate(pem));
  const leaf = certificates[0];
  const untrusted = (why: string): CertificateTrust => ({
    state: "untrusted",
    problem: `The recorded certificate is not trusted here: ${why}.`,
  });
  if (!leaf) return untrusted("there is none");
  if (!isFor(leaf, hostname))
    return { state: "other-name", problem: `The recorded certificate is not for ${hostname}.` };
  for (const [index, certificate] of certificates.entries()) {
    if (!isCurrent(certificate, at)) return untrusted("at that time one of its chain was not valid");
    if (roots.some((root) => isIssuedBy(certificate, new X509Certificate(root), at))) return { state: "trusted" };
    const issuer = certificates[index + 1];
    if (!issuer || !isIssuedBy(certificate, issuer, at)) break;
  }
  return untrusted("its chain leads to no root that this machine trusts");
}

/** RFC 9525 §6: by its alternative names only. */
export function isFor(leaf: X509Certificate, hostname: string): boolean {
  const found = isIP(hostname) ? leaf.checkIP(hostname) : leaf.checkHost(hostname, { subject: "never" });
  return found !== undefined;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate, at: number): boolean {
  if (certificate.raw.equals(issuer.raw)) return true;
  return issuer.ca && isCurrent(issuer, at) && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isCurrent({ validFromDate, validToDate }: X509Certificate, at: number): boolean {
  return validFromDate.getTime() <= at * 1000 && at * 1000 <= validToDate.getTime();
}
