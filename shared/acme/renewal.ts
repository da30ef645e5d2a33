import type { RenewalInfo } from "./ca.ts";
import type { RenewalPlan } from "../registry/messages.ts";

/** All times are milliseconds since the Unix epoch. */
export interface RenewalCircumstances {
  readonly notBefore: number;
  readonly notAfter: number;
  readonly now: number;
  /** What the CA last said under ARI, if it has said anything. */
  readonly info?: RenewalInfo | undefined;
  /** The plan made before, which stays as long as its reasons do. */
  readonly plan?: RenewalPlan | undefined;
  /** In [0, 1). */
  readonly random: () => number;
}

/** In parts of the lifetime. */
const renewAt = 2 / 3;
const jitter = 0.025;
/** A CA whose window is later than this would let the certificate lapse at the first hitch. */
const latest = 0.9;

/**
 * When to renew a certificate. In the CA's window a time chosen at random, once for each window (RFC 9773 §4.2: one that
 * has passed means now); without a window at two thirds of the lifetime, a little earlier or later, so that nodes
 * which started together do not renew together.
 */
export function decideRenewalPlan({ notBefore, notAfter, now, info, plan, random }: RenewalCircumstances): RenewalPlan {
  const lifetimeMs = notAfter - notBefore;
  if (info) return planInWindow(info, { plan, now, random, latestAt: Math.round(notBefore + lifetimeMs * latest) });
  // A CA that has named a window and is silent since has not taken it back.
  if (plan) return plan;
  const part = renewAt + jitter * (2 * random() - 1);
  return { at: Math.round(notBefore + lifetimeMs * part), source: "lifetime" };
}

function planInWindow(
  { from, to, explanationUrl }: RenewalInfo,
  {
    plan,
    now,
    random,
    latestAt,
  }: { plan: RenewalPlan | undefined; now: number; random: () => number; latestAt: number },
): RenewalPlan {
  const same = plan?.source === "ari" && plan.from === from && plan.to === to;
  const at = same ? plan.at : Math.round(from + (to - from) * random());
  return {
    at: Math.min(at, latestAt, to <= now ? now : Infinity),
    source: "ari",
    from,
    to,
    ...(explanationUrl !== undefined && { explanationUrl }),
  };
}

const firstLookMs = 30_000;
const failedLookMs = 3_600_000;

/**
 * How long until the CA should be asked for its window (again): soon after the issue, then as its Retry-After says; an
 * hour after an answer that did not come.
 */
export function decideNextLookMs(answer: "none yet" | "failed" | RenewalInfo): number {
  if (answer === "none yet") return firstLookMs;
  return answer === "failed" ? failedLookMs : answer.retryAfterMs;
}
