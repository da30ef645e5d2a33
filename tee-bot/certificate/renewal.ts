import type { X509Certificate } from "node:crypto";
import { lifetimeOf, type Lifetime } from "./certificate.ts";

/** What is wanted of the certificate that is held; `order` says why a new one is needed. */
export type RenewalDecision = { kind: "keep"; checkAgainInMs: number } | { kind: "order"; reason: string };

export interface RenewalWish {
  hostnames: readonly string[];
  /** SubjectPublicKeyInfo (DER) of our key. */
  spki: Buffer;
  /** When the CA or the edge wants it renewed (ms since the Unix epoch). */
  plannedAt?: number | undefined;
  /** Not before that; see {@link decideEarliest}. */
  earliestAt?: number;
  /** In [0, 1): spreads renewals for which there is no plan. */
  jitter?: number;
}

const maxCheckIntervalMs = 3_600_000;
const renewAtFraction = 2 / 3;
const jitterFraction = 0.025; // of the lifetime, to either side
/** A plan that is later than this is not followed: what is left must be enough to mend what is broken. */
const latestFraction = 0.8;
/** A CA that wants every certificate renewed at once is not asked for ever more of them. */
const maxIssuesPerDay = 3;
const dayMs = 86_400_000;

/** A certificate is kept while it is for this key, covers every name and is not due for renewal. */
export function decideRenewal(
  certificate: X509Certificate | undefined,
  wish: RenewalWish,
  now: number,
): RenewalDecision {
  if (!certificate) return { kind: "order", reason: "there is none yet" };
  const fault = faultOf(certificate, wish, now);
  if (fault) return { kind: "order", reason: fault };
  const at = renewalTime(lifetimeOf(certificate), wish);
  if (now >= at) {
    const ends = certificate.validToDate.toISOString();
    return { kind: "order", reason: `its renewal is due: the one held ends ${ends}` };
  }
  return { kind: "keep", checkAgainInMs: Math.min(at - now, maxCheckIntervalMs) };
}

/** Why a certificate cannot be used at all; undefined when it can. */
export function faultOf(
  certificate: X509Certificate,
  { hostnames, spki }: Pick<RenewalWish, "hostnames" | "spki">,
  now: number,
): string | undefined {
  if (!certificate.publicKey.export({ type: "spki", format: "der" }).equals(spki))
    return "the one held is for another key";
  const missing = hostnames.find((name) => certificate.checkHost(name) === undefined);
  if (missing) return `the one held does not cover ${missing}`;
  if (now >= certificate.validToDate.getTime())
    return `the one held has ended ${certificate.validToDate.toISOString()}`;
  return undefined;
}

/** From when on a plan is followed: a day after the third newest of the times at which certificates were issued. */
export function decideEarliest(issuedAt: readonly number[], now: number): number {
  const third = issuedAt.filter((at) => at <= now).toSorted((a, b) => b - a)[maxIssuesPerDay - 1];
  return third === undefined ? 0 : third + dayMs;
}

/** The plan, else two thirds of the lifetime with jitter, within the bounds above. Milliseconds since the Unix epoch. */
export function renewalTime(
  { notBefore, notAfter }: Lifetime,
  { plannedAt, earliestAt = 0, jitter = 0.5 }: Pick<RenewalWish, "plannedAt" | "earliestAt" | "jitter">,
): number {
  const at = (fraction: number): number => notBefore + (notAfter - notBefore) * fraction;
  const wanted = plannedAt ?? at(renewAtFraction + (2 * jitter - 1) * jitterFraction);
  return Math.min(Math.max(wanted, earliestAt), at(latestFraction));
}

/** How near the end is: `soon` below three tenths of the lifetime, `urgent` below one. */
export type Urgency = "calm" | "soon" | "urgent" | "over";

export function decideUrgency({ notBefore, notAfter }: Lifetime, now: number): Urgency {
  const left = (notAfter - now) / (notAfter - notBefore);
  if (left <= 0) return "over";
  return left < 0.1 ? "urgent" : left < 0.3 ? "soon" : "calm";
}
