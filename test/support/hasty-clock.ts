import { systemClock, type Clock } from "../../shared/clock.ts";

/** A clock on which everything takes a fraction of its time: minutes of waiting in seconds, in the same ratios. */
export function hastyClock(factor: number): Clock {
  const startedAt = systemClock.now();
  return {
    now: () => Math.round(startedAt + (systemClock.now() - startedAt) * factor),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
