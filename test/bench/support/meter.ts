import { billOf, type Bill, type Origins } from "./bill.ts";
import type { Counts, MeteredEdge } from "./metered-edge.ts";

/** Reads what an edge has counted before and after something. */
export class Meter {
  readonly #edge: MeteredEdge;
  readonly #origins: Origins;

  constructor(edge: MeteredEdge, origins: Origins) {
    this.#edge = edge;
    this.#origins = origins;
  }

  /** What `work` costs, with all that follows from it by itself. */
  async bill(work: () => Promise<unknown>, isCounted: (key: string) => boolean = () => true): Promise<Bill> {
    const counts = await this.count(work);
    return billOf(Object.fromEntries(Object.entries(counts).filter(([key]) => isCounted(key))), this.#origins);
  }

  async count(work: () => Promise<unknown>): Promise<Counts> {
    await this.#edge.settle();
    const before = await this.#edge.read();
    await work();
    await this.#edge.settle();
    const after = await this.#edge.read();
    return Object.fromEntries(Object.entries(after).map(([key, count]) => [key, count - (before[key] ?? 0)]));
  }
}
