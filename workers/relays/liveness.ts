/** Whether a relay is there, by its heartbeats. Rules only. */
import type { RelayStatusReport } from "../../shared/registry/messages.ts";

/** A relay that has missed two heartbeats is dead. */
export const healthyIntervals = 2.5;
/** One that has been silent for longer was taken down, whatever else is silent. */
const goneMs = 10 * 60_000;

export interface Heartbeat {
  readonly report: RelayStatusReport;
  /** When the edge received it (ms since the Unix epoch). */
  readonly at: number;
  /** Until then nobody is sent to it, since visitors do not get through it (ms since the Unix epoch). */
  readonly illUntil?: number;
}

export function isAlive({ at }: Heartbeat, heartbeatMs: number, now: number): boolean {
  return now - at < healthyIntervals * heartbeatMs;
}

/**
 * The silent relays that may well be there: when more than half of all have been silent, it is likelier that the edge
 * was away than that they died, and nodes had better stay where they are.
 */
export function decideDoubtful<T extends Heartbeat>(heartbeats: readonly T[], heartbeatMs: number, now: number): T[] {
  const known = heartbeats.filter(({ at }) => now - at < goneMs);
  const silent = known.filter((heartbeat) => !isAlive(heartbeat, heartbeatMs, now));
  return silent.length > known.length / 2 ? silent : [];
}
