import type { Offer } from "./offers.ts";
import type { PrivacyRule, RouteQuestion, Strategy } from "./route.ts";

/**
 * Why an offer is passed over. `policy`: it must not be taken; `evidence`: what it shows of itself is bad; `rest`: it cannot
 * be taken, for a while.
 */
export interface Obstacle {
  readonly kind: "endpoint" | "target" | "policy" | "evidence" | "rest";
  readonly reason: string;
  /** When it may be gone; of what rests only. */
  readonly retryInMs?: number;
}

export interface Policy {
  readonly strategy: Strategy;
  readonly privacy: PrivacyRule;
}

/** One that was there a moment ago is likely to be restarting: it is tried, as the last one. */
const goneGraceMs = 10_000;
const lookMs = 2_000;

/** Why this offer must or can not be taken; undefined: it can. */
export function decideObstacle(
  { view, model, location, trust }: Offer,
  { endpoint, targetNode }: RouteQuestion,
  policy: Policy,
  now: number,
): Obstacle | undefined {
  if (model.endpoints && !model.endpoints.includes(endpoint))
    return { kind: "endpoint", reason: `its ${model.id} is not for ${endpoint}` };
  if (targetNode !== undefined && location !== "local") return { kind: "target", reason: "not of this node itself" };
  const forbidden = whyForbidden({ location, trust }, policy);
  if (forbidden !== undefined) return { kind: "policy", reason: forbidden };
  if (model.withheld !== undefined) return { kind: "evidence", reason: model.withheld };
  if (isUnverified({ model, trust }, policy))
    return { kind: "rest", reason: "its evidence is not verified yet", retryInMs: lookMs };

  const { state, since, reason } = view.standing;
  if (state === "asleep" && now - since > goneGraceMs) return { kind: "rest", reason: "asleep", retryInMs: lookMs };
  if (state === "refused-key" || state === "broken")
    return { kind: "rest", reason: `${state}: ${reason ?? ""}`, retryInMs: lookMs };
  const breaker = view.attempts.breaker;
  if (breaker.retryInMs === 0) return undefined;
  const what = breaker.state === "open" ? "breaker open" : "breaker half-open, another call tries";
  return { kind: "rest", reason: `${what}: ${breaker.reason ?? ""}`, retryInMs: breaker.retryInMs };
}

/** What of the settings forbids it; undefined: nothing. */
export function whyForbidden(
  { location, trust }: Pick<Offer, "location" | "trust">,
  { strategy, privacy }: Policy,
): string | undefined {
  const isByTee = privacy === "local-or-attested" || privacy === "local-or-verified";
  const mayRead = trust === "local" || privacy === "any" || (isByTee && trust === "attested");
  if (!mayRead) return `privacy rule ${privacy}: it is ${trust}`;
  if (strategy === "local-only" && location !== "local") return `strategy local-only: it is in the ${location}`;
  return undefined;
}

/** The settings ask for more than a provider's own word. */
export function isUnverified(
  { model, trust }: Pick<Offer, "model" | "trust">,
  { privacy }: Pick<Policy, "privacy">,
): boolean {
  return privacy === "local-or-verified" && trust === "attested" && model.attestation !== "verified";
}
