/** How long to wait before attempt `attempt` (0 is the first retry): full jitter below an exponential ceiling. */
export function decideBackoffMs(
  attempt: number,
  { baseMs, maxMs, random }: { baseMs: number; maxMs: number; random: () => number },
): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling * (0.1 + 0.9 * random())); // never zero: a loop without a pause helps nobody
}

const restartMs = 60_000;

/**
 * How long to wait before attempt `attempt` to reach a process that was lost `lostForMs` ago. What restarts is back
 * within seconds, so the first minute is searched densely; whatever is gone for longer is asked seldom.
 */
export function decideReconnectMs(attempt: number, lostForMs: number, random: () => number): number {
  return decideBackoffMs(attempt, { baseMs: 100, maxMs: lostForMs < restartMs ? 1_000 : 15_000, random });
}
