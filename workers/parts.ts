import { systemClock, type Clock } from "../shared/clock.ts";

/** What a Durable Object takes from the outside world. The runtime passes none, so these are the defaults. */
export interface Parts {
  readonly clock: Clock;
  /** In [0, 1); only for jitter. */
  readonly random: () => number;
}

export const liveParts: Parts = { clock: systemClock, random: Math.random };
