import type { X509Certificate } from "node:crypto";

/** What is wanted of the certificate that is held; `order` says why a new one is needed. */
export type RenewalDecision = { kind: "keep"; checkAgainInMs: number } | { kind: "order"; reason: string };

const maxCheckIntervalMs = 3_600_000;
const renewAtFraction = 2 / 3;

/** A certificate is kept while it is for this key, covers every name and has a third of its lifetime left. */
export function decideRenewal(
  certificate: X509Certificate | undefined,
  wanted: { hostnames: readonly string[]; spki: Buffer },
  now: number,
): RenewalDecision {
  if (!certificate) return { kind: "order", reason: "there is none yet" };
  if (!certificate.publicKey.export({ type: "spki", format: "der" }).equals(wanted.spki))
    return { kind: "order", reason: "the one held is for another key" };
  const missing = wanted.hostnames.find((name) => certificate.checkHost(name) === undefined);
  if (missing) return { kind: "order", reason: `the one held does not cover ${missing}` };
  const notBefore = certificate.validFromDate.getTime();
  const notAfter = certificate.validToDate.getTime();
  const renewAt = notBefore + (notAfter - notBefore) * renewAtFraction;
  if (now >= renewAt) return { kind: "order", reason: `the one held ends ${certificate.validToDate.toISOString()}` };
  return { kind: "keep", checkAgainInMs: Math.min(renewAt - now, maxCheckIntervalMs) };
}
