import type { Clock } from "../../shared/clock.ts";
import { Deadlines } from "../../shared/nodejs/deadlines.ts";

export interface PendingHellosOptions<T> {
  max: number;
  maxPerAddress: number;
  ms: number;
  clock: Clock;
  onDropped: (item: T, reason: "hello-timeout" | "too-many-hellos") => void;
}

/**
 * Connections that have not said yet what they want, bounded in all and for each address. The oldest makes room: one
 * that means it speaks within a round trip, so who holds thousands open in silence only drives out their own.
 */
export class PendingHellos<T> {
  readonly #options: PendingHellosOptions<T>;
  readonly #addresses = new Map<T, string>();
  readonly #byAddress = new Map<string, Set<T>>();
  readonly #deadlines: Deadlines<T>;

  constructor(options: PendingHellosOptions<T>) {
    this.#options = options;
    const { ms, clock } = options;
    this.#deadlines = new Deadlines({ ms, clock, onExpired: (item) => this.#drop(item, "hello-timeout") });
  }

  get size(): number {
    return this.#addresses.size;
  }

  add(item: T, address: string): void {
    const { max, maxPerAddress } = this.#options;
    const ofAddress = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, ofAddress.add(item));
    this.#addresses.set(item, address);
    this.#deadlines.start(item);
    if (ofAddress.size > maxPerAddress) this.#dropFirst(ofAddress);
    else if (this.#addresses.size > max) this.#dropFirst(this.#addresses.keys());
  }

  delete(item: T): void {
    const address = this.#addresses.get(item);
    if (address === undefined) return;
    this.#addresses.delete(item);
    this.#deadlines.stop(item);
    const ofAddress = this.#byAddress.get(address);
    ofAddress?.delete(item);
    if (ofAddress?.size === 0) this.#byAddress.delete(address);
  }

  #dropFirst(items: Iterable<T>): void {
    for (const item of items) return this.#drop(item, "too-many-hellos");
  }

  #drop(item: T, reason: "hello-timeout" | "too-many-hellos"): void {
    this.delete(item);
    this.#options.onDropped(item, reason);
  }
}
