import { decideBackoffMs } from "../../../shared/backoff.ts";

/** News of a weakness come as new collateral, long before the old one ends (30 days). */
export const refreshIntervalMs = 12 * 3_600_000;
const retry = { baseMs: 10_000, maxMs: 15 * 60_000 };
/** Of a service that hands out what has ended already, nothing else is to be had soon. */
const minimumMs = 60_000;

export interface CollateralAge {
  /** Milliseconds since the Unix epoch, as all here. */
  readonly retrievedAt: number;
  /** Undefined: it does not say. */
  readonly validUntil: number | undefined;
}

/**
 * How long to wait before collateral is asked for. Every half day, and by half of what is left of it when that is sooner;
 * after failures with growing pauses. `held`: what there is, undefined: nothing.
 */
export function decideRefreshMs(
  held: CollateralAge | undefined,
  { now, failures, random }: { now: number; failures: number; random: () => number },
): number {
  if (failures > 0) return decideBackoffMs(failures - 1, { ...retry, random });
  if (!held) return 0;
  const { retrievedAt, validUntil = retrievedAt } = held;
  const due = retrievedAt + Math.min(refreshIntervalMs, Math.max(minimumMs, (validUntil - retrievedAt) / 2));
  return Math.max(0, due - now);
}
