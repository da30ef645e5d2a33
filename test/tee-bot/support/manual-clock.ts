import type { Clock } from "../../../shared/clock.ts";

interface Sleep {
  readonly ms: number;
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until the test moves it. */
export class ManualClock implements Clock {
  #now: number;
  readonly #sleeps = new Set<Sleep>();
  #watchers: (() => void)[] = [];

  constructor(now: number = Date.now()) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        this.#sleeps.delete(sleep);
        reject(signal?.reason);
      };
      const wake = (): void => {
        this.#sleeps.delete(sleep);
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const sleep = { ms, until: this.#now + ms, wake };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#sleeps.add(sleep);
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  }

  /** Lengths of the sleeps that are going on. */
  get sleeping(): number[] {
    return [...this.#sleeps].map(({ ms }) => ms);
  }

  /** Resolves once somebody sleeps for as long as `wanted` says. */
  async untilSleeping(wanted: (ms: number) => boolean): Promise<number> {
    for (;;) {
      const found = this.sleeping.find(wanted);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const sleep of this.#sleeps) if (sleep.until <= this.#now) sleep.wake();
  }
}
