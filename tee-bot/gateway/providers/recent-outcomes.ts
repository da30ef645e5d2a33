const slotMs = 5_000;
const slots = 6;

/** How attempts of the last 30 s went, in slots of 5 s: what is remembered does not grow with the calls. */
export class RecentOutcomes {
  readonly #slots = Array.from({ length: slots }, () => ({ number: -1, succeeded: 0, failed: 0 }));
  #failuresInRow = 0;

  add(outcome: "succeeded" | "failed", now: number): void {
    this.#failuresInRow = outcome === "failed" ? this.#failuresInRow + 1 : 0;
    const number = Math.floor(now / slotMs);
    const slot = this.#slots[number % slots];
    if (!slot) return;
    if (slot.number !== number) Object.assign(slot, { number, succeeded: 0, failed: 0 });
    slot[outcome]++;
  }

  forget(): void {
    this.#failuresInRow = 0;
    for (const slot of this.#slots) slot.number = -1;
  }

  get failuresInRow(): number {
    return this.#failuresInRow;
  }

  count(now: number): { succeeded: number; failed: number } {
    const newest = Math.floor(now / slotMs);
    const sum = { succeeded: 0, failed: 0 };
    for (const { number, succeeded, failed } of this.#slots) {
      if (number <= newest - slots || number > newest) continue;
      sum.succeeded += succeeded;
      sum.failed += failed;
    }
    return sum;
  }
}
