/**
 * A bucket of calls. It refills evenly and holds a burst; over any five minutes no more are spent than the rate and
 * the burst together, which is why the rate stays below what Cloudflare allows (1,200 in five minutes for a user).
 */
export interface CallBudget {
  readonly tokens: number;
  /** When `tokens` was so many (ms since the Unix epoch). */
  readonly at: number;
}

const windowMs = 5 * 60_000;
const burstShare = 0.2;

/** The bucket after one call; undefined when there is none to spend. */
export function spendCall(budget: CallBudget, now: number, callsPer5Min: number): CallBudget | undefined {
  const tokens = refilled(budget, now, callsPer5Min);
  return tokens < 1 ? undefined : { tokens: tokens - 1, at: now };
}

/** When the next call can be made; `now` or earlier when it is possible at once. */
export function nextCallAt(budget: CallBudget, now: number, callsPer5Min: number): number {
  const lacking = 1 - refilled(budget, now, callsPer5Min);
  return lacking <= 0 ? now : now + Math.ceil((lacking * windowMs) / callsPer5Min);
}

function refilled({ tokens, at }: CallBudget, now: number, callsPer5Min: number): number {
  const most = Math.max(1, callsPer5Min * burstShare);
  return Math.min(most, tokens + (Math.max(0, now - at) * callsPer5Min) / windowMs);
}
