/** When an engine that has ended by itself may be started again. Rules only. */

/** What is longer ago is forgotten. */
export const rememberMs = 10 * 60_000;
const firstDelayMs = 1_000;
const maxDelayMs = 60_000;

/** `crashes`: Unix milliseconds, the oldest first. After one the next start is at once; after more it waits, longer each time. */
export function decideStartAt(crashes: readonly number[], now: number): number {
  const recent = crashes.filter((at) => now - at < rememberMs);
  const last = recent.at(-1);
  if (last === undefined || recent.length === 1) return now;
  return last + Math.min(maxDelayMs, firstDelayMs * 2 ** (recent.length - 2));
}
