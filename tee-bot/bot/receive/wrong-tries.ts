import type { Clock } from "../../../shared/clock.ts";

export const maxWrongTries = 10;
const withinMs = 60_000;
/** Beyond it all are forgotten: whoever has so many addresses is not stopped by this, but by the password. */
const maxAddresses = 10_000;

/** Counts wrong passwords of each address, so that nobody tries many. */
export class WrongTries {
  readonly #clock: Clock;
  #tries = new Map<string, number>();
  #since = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isOver(address: string): boolean {
    const elapsedMs = this.#clock.now() - this.#since;
    if (elapsedMs >= withinMs || elapsedMs < 0) this.#tries.clear(); // below 0: the clock was set back
    return (this.#tries.get(address) ?? 0) >= maxWrongTries;
  }

  count(address: string): void {
    if (this.#tries.size >= maxAddresses) this.#tries.clear();
    if (this.#tries.size === 0) this.#since = this.#clock.now();
    this.#tries.set(address, (this.#tries.get(address) ?? 0) + 1);
  }
}
