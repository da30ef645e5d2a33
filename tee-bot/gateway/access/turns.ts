/**
 * Lets so many calls run at once; the others wait, one queue for each caller. Whoever's queue has waited longest for a turn
 * is next, so that a caller with a thousand calls does not hold up one with a single one. When too many wait, the
 * newest of the longest queue goes.
 */
import type { Clock } from "../../../shared/clock.ts";
import type { Leaving } from "./access.ts";

export interface TurnLimits {
  /** Calls under way. */
  readonly concurrent: number;
  /** Calls that wait. */
  readonly queued: number;
  readonly queueMs: number;
}

export interface TurnsOptions {
  limits: TurnLimits;
  clock: Clock;
  /** What a call is told that cannot have a turn. */
  overloaded: (why: "full" | "late") => Error;
}

interface Waiter {
  readonly who: string;
  readonly grant: () => void;
  readonly refuse: (reason: unknown) => void;
}

export class Turns {
  readonly #options: TurnsOptions;
  #limits: TurnLimits;
  #running = 0;
  #waiting = 0;
  /** In the order of their next turn; within, first come first served. None is empty. */
  readonly #queues = new Map<string, Set<Waiter>>();

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#limits = options.limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Those who wait already keep the time they were given. */
  follow(limits: TurnLimits): void {
    this.#limits = limits;
    this.#grant();
  }

  /**
   * Undefined: the turn has come at once. Else resolves when it has, and rejects with `overloaded`, or with the signal's
   * reason when the client leaves.
   */
  take(who: string, client: Leaving): Promise<void> | undefined {
    if (this.#waiting === 0 && this.#running < this.#limits.concurrent) {
      this.#running++;
      return undefined;
    }
    return new Promise((resolve, reject) => this.#wait(who, client.signal, resolve, reject));
  }

  /** A turn that was taken is over. */
  end(): void {
    this.#running--;
    this.#grant();
  }

  /** Ends the waiting of one caller. */
  refuse(who: string, reason: unknown): void {
    for (const waiter of this.#queues.get(who) ?? []) waiter.refuse(reason);
  }

  #wait(who: string, signal: AbortSignal, resolve: () => void, reject: (reason: unknown) => void): void {
    if (signal.aborted) return reject(signal.reason);
    const { overloaded, clock } = this.#options;
    if (this.#waiting >= this.#limits.queued && !this.#makeRoom(who)) return reject(overloaded("full"));
    const over = new AbortController();
    const onLeave = (): void => waiter.refuse(signal.reason);
    const leave = (): void => {
      this.#remove(waiter);
      signal.removeEventListener("abort", onLeave);
      over.abort();
    };
    const waiter: Waiter = {
      who,
      grant: () => {
        leave();
        resolve();
      },
      refuse: (reason) => {
        leave();
        reject(reason);
      },
    };
    signal.addEventListener("abort", onLeave, { once: true });
    clock.sleep(this.#limits.queueMs, over.signal).then(
      () => waiter.refuse(overloaded("late")),
      () => {}, // it had its turn, or left
    );
    const queue = this.#queues.get(who);
    if (queue) queue.add(waiter);
    else this.#queues.set(who, new Set([waiter]));
    this.#waiting++;
  }

  #grant(): void {
    while (this.#waiting > 0 && this.#running < this.#limits.concurrent) {
      const [who, queue] = first(this.#queues);
      const waiter = first(queue);
      this.#running++;
      waiter.grant();
      if (!this.#queues.delete(who)) continue;
      this.#queues.set(who, queue); // behind the others
    }
  }

  #remove(waiter: Waiter): void {
    const queue = this.#queues.get(waiter.who);
    if (!queue?.delete(waiter)) return;
    this.#waiting--;
    if (queue.size === 0) this.#queues.delete(waiter.who);
  }

  /** Sends the newest of the longest queue away, unless that is the caller's own. */
  #makeRoom(who: string): boolean {
    const [, queue] = [...this.#queues].reduce((a, b) => (b[1].size > a[1].size ? b : a), ["", new Set<Waiter>()]);
    if (queue.size <= (this.#queues.get(who)?.size ?? 0) + 1) return false;
    [...queue].at(-1)?.refuse(this.#options.overloaded("full"));
    return true;
  }
}

function first<T>(items: Iterable<T>): T {
  for (const item of items) return item;
  throw new Error("There is none.");
}
