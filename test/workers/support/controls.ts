import { systemClock, type Clock } from "../../../shared/clock.ts";

let aheadMs = 0;

/** Real time plus what tests have let pass. Objects and tests share it, since they share the isolate. */
export const clock: Clock = { now: () => Date.now() + aheadMs, sleep: (ms, signal) => systemClock.sleep(ms, signal) };

export function letPass(ms: number): void {
  aheadMs += ms;
}

export const faults = { hubDown: false };

/** Calls that a test wants to know the number of. */
export const calls = { setRelays: 0 };
