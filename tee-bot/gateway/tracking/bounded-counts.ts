import { Counter, type Registry } from "prom-client";

const maxLabelSets = 1_000;
const other = "other";

/**
 * A counter whose labels come as one text, their values with line feeds in between, and are counted in a plain map of which
 * the registry hears when somebody asks: it would join and check them each time. Label sets beyond a thousand are
 * counted together as `other`.
 */
export class BoundedCounts<Label extends string> {
  readonly #counts = new Map<string, { value: number }>();

  constructor(options: { name: string; help: string; registers: Registry[] }, names: readonly Label[]) {
    const counter: Counter = new Counter({
      ...options,
      labelNames: [...names],
      collect: () => {
        counter.reset();
        for (const [key, { value }] of this.#counts) {
          const values = key.split("\n");
          const labels = names.map((name, index) => [name, key === other ? other : (values[index] ?? "")] as const);
          counter.inc(Object.fromEntries(labels), value);
        }
      },
    });
  }

  add(amount: number, key: string): void {
    const count = this.#counts.get(key);
    if (count) count.value += amount;
    else this.#addNew(amount, key);
  }

  #addNew(amount: number, key: string): void {
    const known = this.#counts.size < maxLabelSets ? key : other;
    const count = this.#counts.get(known) ?? { value: 0 };
    count.value += amount;
    this.#counts.set(known, count);
  }
}
