/**
 * One call at a time for one REST server: it ends with `concurrent map read and map write` when several wait for signal-cli
 * at once. What people wait for goes first; what nobody wants any more by its turn is left out.
 */
import { SignalFailure } from "./signal-failure.ts";

/** In this order. `call`: an answer is waited for. */
const priorities = ["call", "receipt", "typing"] as const;

export type LanePriority = (typeof priorities)[number];

export interface LaneWork<T> {
  priority: LanePriority;
  /** Must limit its own time: everything waits for it. */
  run: () => Promise<T>;
  /** Asked when its turn has come. */
  isStale?: (() => boolean) | undefined;
}

export interface LaneState {
  readonly waiting: number;
  readonly isBusy: boolean;
  /** Calls that were not made, because too much waited or nobody wanted them any more. */
  readonly dropped: number;
}

interface Waiting {
  readonly start: () => Promise<void>;
  readonly drop: () => void;
  readonly isStale: () => boolean;
}

/** Of one priority. */
const maxWaiting = 1_000;

export class Lane {
  readonly #waiting: Record<LanePriority, Waiting[]> = { call: [], receipt: [], typing: [] };
  #isBusy = false;
  #dropped = 0;

  get state(): LaneState {
    const waiting = priorities.reduce((sum, priority) => sum + this.#waiting[priority].length, 0);
    return { waiting, isBusy: this.#isBusy, dropped: this.#dropped };
  }

  /** Throws {@link SignalFailure} `dropped` where it was not run. */
  run<T>({ priority, run, isStale = () => false }: LaneWork<T>): Promise<T> {
    const line = this.#waiting[priority];
    return new Promise<T>((resolve, reject) => {
      const drop = (): void => {
        this.#dropped++;
        reject(new SignalFailure("dropped"));
      };
      if (line.length >= maxWaiting) return drop();
      line.push({ isStale, drop, start: () => run().then(resolve, reject) });
      this.#next();
    });
  }

  #next(): void {
    if (this.#isBusy) return;
    const next = this.#takeNext();
    if (!next) return;
    this.#isBusy = true;
    void next.start().finally(() => {
      this.#isBusy = false;
      this.#next();
    });
  }

  #takeNext(): Waiting | undefined {
    for (const priority of priorities)
      for (let next = this.#waiting[priority].shift(); next; next = this.#waiting[priority].shift()) {
        if (!next.isStale()) return next;
        next.drop();
      }
    return undefined;
  }
}
