/** How many connections to the node wait for visitors, and how many more to ask for. */

/** A new pool connection is there one and a half round trips after it was asked for; twice that absorbs a burst. */
const roundTripsOfStock = 3;
const minRoundTripMs = 5; // what the event loops at both ends add

export interface Demand {
  arrivalsPerSecond: number;
  roundTripMs: number;
  floor: number;
  cap: number;
}

/** Enough to serve what arrives while new connections are on their way. */
export function decidePoolSize({ arrivalsPerSecond, roundTripMs, floor, cap }: Demand): number {
  const stock = (arrivalsPerSecond * Math.max(minRoundTripMs, roundTripMs) * roundTripsOfStock) / 1000;
  return Math.min(cap, Math.max(floor, Math.ceil(stock)));
}

export interface Stock {
  /** The size decided. */
  size: number;
  cap: number;
  idle: number;
  /** Asked for and not there yet. */
  promised: number;
  /** Visitors that found no connection. */
  waiting: number;
  /** What the rate limit still allows. */
  allowance: number;
}

/** How many connections to ask the node for now. */
export function decideRefill({ size, cap, idle, promised, waiting, allowance }: Stock): number {
  const lacking = size + waiting - idle - promised;
  return Math.max(0, Math.min(lacking, cap - idle - promised, allowance));
}

/** How many idle connections to close: what a burst has left, once it is twice the size. */
export function decideTrim({ size, idle }: { size: number; idle: number }): number {
  return Math.max(0, idle - 2 * size);
}
