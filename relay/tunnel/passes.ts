import type { Clock } from "../../shared/clock.ts";
import type { Pass, PassTable } from "./pass-table.ts";

/** A node that has a pass and does not use it within this time has lost it. */
const passMs = 10_000;

export interface PassesOptions {
  table: PassTable;
  tunnel: number;
  clock: Clock;
}

/** The one-time passes of one tunnel that are out. Nobody without the control connection has one. */
export class Passes {
  readonly #options: PassesOptions;
  /** In the order they were given; some were redeemed since. */
  #given: { pass: Pass; voidAt: number }[] = [];

  constructor(options: PassesOptions) {
    this.#options = options;
  }

  /** Those that nobody has redeemed. */
  get out(): number {
    const { table } = this.#options;
    this.#given = this.#given.filter(({ pass }) => table.stands(pass));
    return this.#given.length;
  }

  issue(count: number): Uint8Array[] {
    const { table, tunnel, clock } = this.#options;
    const voidAt = clock.now() + passMs;
    const passes = table.issue(tunnel, count);
    for (const pass of passes) this.#given.push({ pass, voidAt });
    return passes.map(({ bytes }) => bytes);
  }

  /** Takes back those that are too old; answers how many. */
  expire(): number {
    const { table, clock } = this.#options;
    const now = clock.now();
    const young = this.#given.findIndex(({ voidAt }) => voidAt > now);
    const old = this.#given.splice(0, young < 0 ? this.#given.length : young);
    return old.filter(({ pass }) => table.void(pass)).length;
  }

  voidAll(): void {
    for (const { pass } of this.#given.splice(0)) this.#options.table.void(pass);
  }
}
