/**
 * What a CA allows within a window of time, counted before it is asked: who may order now, and when the others will.
 * CAs count in their own way; this counts no less than they do, so that an order that is admitted is not turned away.
 */
import type { Admission } from "./ports.ts";

/** At most `count` within any `windowMs`. */
export interface IssuanceLimit {
  readonly count: number;
  readonly windowMs: number;
}

export interface IssuanceLimits {
  /** Certificates of the zone's registered domain. */
  readonly certificates: IssuanceLimit;
  /** Certificates for one exact set of names. */
  readonly duplicates: IssuanceLimit;
  /** Orders of the account, whatever became of them. */
  readonly orders: IssuanceLimit;
}

/** An order that has been admitted. Those that CAs exempt from their limits do not count and are left out. */
export interface AdmittedOrder {
  /** {@link nameSetOf} its names. */
  readonly names: string;
  /** When it was admitted; once its certificate is issued, the time of that (ms since the Unix epoch). */
  readonly at: number;
  /** A failed one has used an order, but no certificate. */
  readonly failed: boolean;
}

/** An order in the queue, which is served in order of arrival. */
export interface QueuedOrder {
  readonly order: string;
  readonly names: string;
}

export interface Budget {
  readonly limits: IssuanceLimits;
  /** Older ones than the longest window need not be there. In any order. */
  readonly admitted: readonly AdmittedOrder[];
  /** First come, first. */
  readonly queue: readonly QueuedOrder[];
}

/** Sets of names are equal when these are. */
export function nameSetOf(hostnames: readonly string[]): string {
  return hostnames
    .map((name) => name.toLowerCase())
    .toSorted()
    .join();
}

/** Who waits asks again this often, so that one that never asks again can be told from one that waits. */
const maxAskAgainMs = 15 * 60_000;
/** When nothing but another's turn is in the way. */
const minAskAgainMs = 2_000;

/**
 * Whether `wanted` may be opened now. Places are kept for those before it in the queue, or for all of them when it is
 * not there itself; one that waits for its own names only (`duplicates`) is in nobody's way.
 */
export function decideAdmission({ limits, admitted, queue }: Budget, wanted: QueuedOrder, now: number): Admission {
  const uses = new Uses(limits, admitted, now);
  let place = 1;
  for (const queued of queue) {
    if (queued.order === wanted.order) break;
    uses.take(queued.names);
    place++;
  }
  const estimatedAt = uses.earliest(wanted.names);
  if (estimatedAt <= now) return { admitted: true };
  const retryAfterMs = Math.max(minAskAgainMs, Math.min(estimatedAt - now, maxAskAgainMs));
  return { admitted: false, place, estimatedAt, retryAfterMs };
}

/** The times at which each limit was used, and will be by those ahead. */
class Uses {
  readonly #limits: IssuanceLimits;
  readonly #now: number;
  readonly #certificates: number[] = [];
  readonly #orders: number[] = [];
  readonly #duplicates = new Map<string, number[]>();

  constructor(limits: IssuanceLimits, admitted: readonly AdmittedOrder[], now: number) {
    this.#limits = limits;
    this.#now = now;
    for (const { names, at, failed } of admitted) {
      const used = Math.min(at, now); // a clock that was set back holds up nobody for longer than the window
      insert(this.#orders, used);
      if (failed) continue;
      insert(this.#certificates, used);
      insert(this.#of(names), used);
    }
  }

  /** When all limits have room for one more of these names: now, or later. */
  earliest(names: string): number {
    return Math.max(this.#earliestOfAny(), roomAt(this.#of(names), this.#limits.duplicates));
  }

  take(names: string): void {
    const any = this.#earliestOfAny();
    const own = roomAt(this.#of(names), this.#limits.duplicates);
    insert(this.#of(names), Math.max(any, own));
    if (own > any) return;
    insert(this.#certificates, any);
    insert(this.#orders, any);
  }

  #earliestOfAny(): number {
    const { certificates, orders } = this.#limits;
    return Math.max(this.#now, roomAt(this.#certificates, certificates), roomAt(this.#orders, orders));
  }

  #of(names: string): number[] {
    const held = this.#duplicates.get(names);
    if (held) return held;
    const times: number[] = [];
    this.#duplicates.set(names, times);
    return times;
  }
}

/** When the limit has room after these uses, which are in ascending order. */
function roomAt(times: readonly number[], { count, windowMs }: IssuanceLimit): number {
  const leaving = times.at(-count); // when this one leaves the window, count − 1 are left in it
  return times.length < count || leaving === undefined ? 0 : leaving + windowMs;
}

function insert(times: number[], at: number): void {
  let place = times.length;
  while (place > 0 && (times[place - 1] ?? 0) > at) place--;
  times.splice(place, 0, at);
}
