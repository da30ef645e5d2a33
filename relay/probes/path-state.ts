/** When a path counts as down, and when that is worth telling. Rules only. */
import type { Finding } from "./reasons.ts";

/** One failure may be a lost packet, or a node that has just taken a new key. */
const failuresUntilDown = 2;

export interface PathState {
  /** Undefined until enough is known. */
  readonly state: "up" | "down" | undefined;
  readonly detail: string | undefined;
  /** In a row. */
  readonly failures: number;
  readonly checkedAt: number;
  /** When `state` was last given out for the edge to be told. */
  readonly toldAt: number | undefined;
}

export const unseen: PathState = {
  state: undefined,
  detail: undefined,
  failures: 0,
  checkedAt: 0,
  toldAt: undefined,
};

/** The state after a probe. Down needs two failures in a row; the first success is up. */
export function decideState(before: PathState, { outcome, detail }: Finding, now: number): PathState {
  if (outcome === "unknown" || outcome === "hidden") return before;
  if (outcome === "up") return { ...before, state: "up", detail: undefined, failures: 0, checkedAt: now };
  const failures = before.failures + 1;
  const isDown = failures >= failuresUntilDown;
  return { ...before, failures, checkedAt: now, ...(isDown && { state: "down", detail }) };
}

/** News at once, and what has not changed from time to time, since the edge forgets. */
export function isDueForTelling(before: PathState, after: PathState, refreshMs: number): boolean {
  if (after.state === undefined || after.checkedAt === before.checkedAt) return false;
  if (after.state !== before.state || after.detail !== before.detail || after.toldAt === undefined) return true;
  return after.failures === 0 || after.state === "down" ? after.checkedAt - after.toldAt >= refreshMs : false;
}
