/**
 * A few things that one caller each may have at a time, and a bounded line of those who wait. Whoever comes to a free
 * one gets the one that suits best.
 */
export class Slots<T> {
  readonly #free: T[];
  readonly #waiting: Waiter<T>[] = [];
  readonly #maxWaiting: number;
  readonly #all: number;

  constructor(items: readonly T[], maxWaiting: number) {
    this.#free = [...items];
    this.#all = items.length;
    this.#maxWaiting = maxWaiting;
  }

  get busy(): number {
    return this.#all - this.#free.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Undefined: too many wait already. Rejects with the signal's reason when it aborts first. `fitness`: the highest
   * one is taken.
   */
  take(fitness: (item: T) => number, signal: AbortSignal): Promise<Slot<T>> | undefined {
    if (this.#free.length > 0 && !signal.aborted) return Promise.resolve(this.#lend(this.#best(fitness)));
    if (this.#waiting.length >= this.#maxWaiting) return undefined;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const waiter: Waiter<T> = (item) => {
        signal.removeEventListener("abort", leave);
        resolve(this.#lend(item));
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #best(fitness: (item: T) => number): T {
    const at = this.#free.reduce((best, _, index) => {
      return fitness(this.#free[index] as T) > fitness(this.#free[best] as T) ? index : best;
    }, 0);
    return this.#free.splice(at, 1)[0] as T;
  }

  #lend(item: T): Slot<T> {
    let lent = true;
    return {
      item,
      [Symbol.dispose]: () => {
        if (!lent) return;
        lent = false;
        const next = this.#waiting.shift();
        if (next) next(item);
        else this.#free.push(item);
      },
    };
  }
}

type Waiter<T> = (item: T) => void;

export interface Slot<T> extends Disposable {
  readonly item: T;
}
