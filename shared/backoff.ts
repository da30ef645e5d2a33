/** How long to wait before attempt `attempt` (0 is the first retry): full jitter below an exponential ceiling. */
export function decideBackoffMs(
  attempt: number,
  { baseMs, maxMs, random }: { baseMs: number; maxMs: number; random: () => number },
): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling * (0.1 + 0.9 * random())); // never zero: a loop without a pause helps nobody
}
