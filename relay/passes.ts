import { randomBytes } from "node:crypto";
import type { Clock } from "../shared/clock.ts";
import { Deadlines } from "../shared/nodejs/deadlines.ts";
import { passBytes } from "../shared/tunnel/control.ts";

/** A node that has a pass and does not use it within this time has lost it. */
const passMs = 10_000;

export interface PassOwner {
  passExpired(): void;
}

/** The one-time tokens that tell whose pool connection an arriving socket is. Nobody without the control connection has one. */
export class Passes<Owner extends PassOwner> {
  readonly #owners = new Map<string, Owner>();
  readonly #deadlines: Deadlines<string>;

  constructor({ clock }: { clock: Clock }) {
    this.#deadlines = new Deadlines({ ms: passMs, clock, onExpired: (key) => this.#take(key)?.passExpired() });
  }

  issue(owner: Owner, count: number): Uint8Array[] {
    const random = randomBytes(count * passBytes);
    return Array.from({ length: count }, (_, index) => {
      const pass = random.subarray(index * passBytes, (index + 1) * passBytes);
      const key = pass.toString("latin1");
      this.#owners.set(key, owner);
      this.#deadlines.start(key);
      return pass;
    });
  }

  /** Whose pass it is; the second time, nobody's. */
  redeem(pass: Uint8Array): Owner | undefined {
    const key = Buffer.from(pass.buffer, pass.byteOffset, pass.length).toString("latin1");
    this.#deadlines.stop(key);
    return this.#take(key);
  }

  #take(key: string): Owner | undefined {
    const owner = this.#owners.get(key);
    this.#owners.delete(key);
    return owner;
  }
}
