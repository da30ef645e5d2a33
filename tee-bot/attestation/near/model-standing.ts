/** What is held of a model by what was seen of its evidence, and when it is looked at again. Rules only. */
import { decideBackoffMs } from "../../../shared/backoff.ts";
import type { Check } from "../../../shared/attestation/check.ts";
import type { ModelReport } from "./model-report.ts";

/** `claimed`: nobody has looked yet, or could. `refused`: it was looked at, and is not what it should be. */
export type ModelState = "claimed" | "verified" | "simulated" | "refused";

export interface ModelStanding {
  readonly state: ModelState;
  /** Why it is refused, or could not be looked at. */
  readonly reason: string | undefined;
  /** The newest report that was good. */
  readonly report: ModelReport | undefined;
  /** Of the newest look that came to something. */
  readonly checks: readonly Check[];
  /** Unix milliseconds; of what `checks` are. */
  readonly checkedAt: number | undefined;
  readonly dueAt: number;
  /** Looks in a row that came to nothing. */
  readonly failures: number;
  /** An answer was not signed as it should be: until then good evidence is not enough. */
  readonly distrustedUntil: number | undefined;
}

/** Machines come and go, and the vendor's collateral changes; a report costs NEAR a second, and us some 50 ms of CPU. */
export const reverifyMs = 30 * 60_000;
/** Evidence that is older proves too little. */
export const maxAgeMs = 60 * 60_000;
/** A model that was refused may be mended. */
export const refusedRetryMs = 5 * 60_000;
/** After an answer that the model's TEE has not signed. */
export const distrustMs = 60 * 60_000;
const backoff = { baseMs: 15_000, maxMs: 10 * 60_000 };

export function unseenStanding(now: number): ModelStanding {
  return {
    state: "claimed",
    reason: "not looked at yet",
    report: undefined,
    checks: [],
    checkedAt: undefined,
    dueAt: now,
    failures: 0,
    distrustedUntil: undefined,
  };
}

/** What a look makes of what was held; `look`: a report, or why there is none. */
export function decideModelStanding(
  before: ModelStanding,
  look: ModelReport | string,
  now: number,
  random: () => number,
): ModelStanding {
  if (typeof look === "string") return withoutLook(before, look, now, random);
  const { verdict, checks, at } = look;
  const seen = { checks, checkedAt: at };
  const bad = checks.find(({ outcome }) => outcome === "fail");
  if (verdict === "refused")
    return {
      ...before,
      ...seen,
      state: "refused",
      reason: `${bad?.id}: ${bad?.detail}`,
      report: undefined,
      dueAt: now + refusedRetryMs,
      failures: 0,
    };
  if (verdict === "unknown") {
    const missing = checks.find(({ outcome, id }) => outcome === "skip" && id !== "model-gpu");
    return withoutLook(before, `${missing?.id}: ${missing?.detail}`, now, random);
  }
  const isDistrusted = before.distrustedUntil !== undefined && now < before.distrustedUntil;
  const good = { ...before, ...seen, report: look, dueAt: now + reverifyMs, failures: 0 };
  if (isDistrusted) return { ...good, state: "refused" };
  return { ...good, state: verdict, reason: undefined, distrustedUntil: undefined };
}

/** Good evidence goes on being good for a while; bad evidence stays bad until there is better. */
function withoutLook(before: ModelStanding, reason: string, now: number, random: () => number): ModelStanding {
  const retryAt = now + decideBackoffMs(before.failures, { ...backoff, random });
  const next = { ...before, failures: before.failures + 1 };
  if (before.state === "refused") return { ...next, dueAt: retryAt };
  const endsAt = (before.checkedAt ?? 0) + maxAgeMs;
  const isGood = before.state !== "claimed" && now < endsAt;
  if (isGood) return { ...next, dueAt: Math.min(retryAt, endsAt) };
  return { ...next, state: "claimed", reason, report: undefined, dueAt: retryAt };
}

/** An answer was not what the model's TEE has signed. */
export function distrust(before: ModelStanding, reason: string, now: number): ModelStanding {
  return { ...before, state: "refused", reason, distrustedUntil: now + distrustMs };
}
