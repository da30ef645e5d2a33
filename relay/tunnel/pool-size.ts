/**
 * How many connections to the node wait for visitors, and how many more to ask for. Each thread of the relay has a part of
 * the pool; where a connection comes to land is chance.
 */

/** A new pool connection is there one and a half round trips after it was asked for; twice that absorbs a burst. */
const roundTripsOfStock = 3;
const minRoundTripMs = 5; // what the event loops at both ends add
/** A stock is asked for in so many parts. */
const framesOfStock = 4;
/** Below this chance would have small parts close and ask all the time. */
const minKept = 8;

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

/** One thread's part. */
export interface Part {
  /** The size decided. */
  size: number;
  idle: number;
  /** Visitors that found no connection. */
  waiting: number;
}

export interface Stock {
  parts: readonly Part[];
  cap: number;
  /** Asked for and not there yet. */
  promised: number;
  /** What the rate limit still allows. */
  allowance: number;
}

/** How many connections to ask the node for now. */
export function decideRefill({ parts, cap, promised, allowance }: Stock): number {
  let idle = 0;
  let lacking = 0;
  let waiting = 0;
  for (const part of parts) {
    idle += part.idle;
    lacking += Math.max(0, part.size + part.waiting - part.idle);
    waiting = Math.max(waiting, part.waiting);
  }
  const forWaiting = Math.min(cap, decideDials(waiting, parts.length));
  // What others hold must not keep from their connection those who wait here.
  const room = Math.max(cap - idle, forWaiting) - promised;
  return Math.max(0, Math.min(Math.max(lacking, forWaiting) - promised, room, allowance));
}

/**
 * Whether so many are worth a frame now. One for each visitor that came would cost both ends nearly as much as the visitor;
 * what is left lacking is asked for a moment later, when no visitor waits for it.
 */
export function isWorthAFrame(count: number, parts: readonly Part[]): boolean {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  return count >= Math.floor(size / framesOfStock) || parts.some(({ waiting }) => waiting > 0);
}

/** How many connections to have on their way so that so many come to one of the threads: three deviations above the mean. */
function decideDials(count: number, threads: number): number {
  return threads === 1 ? count : Math.ceil(threads * (count + 3 * Math.sqrt(count)));
}

/** How many idle connections to close: what a burst or chance has left, once it is twice the size. */
export function decideTrim({ size, idle }: { size: number; idle: number }): number {
  return Math.max(0, idle - Math.max(minKept, 2 * size));
}
