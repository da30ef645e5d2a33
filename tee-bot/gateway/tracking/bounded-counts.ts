import { Counter, type Registry } from "prom-client";

const maxLabelSets = 1_000;

/**
 * A counter whose labels are joined to one text and counted in a plain map, of which the registry hears when somebody asks: it
 * would join and check them each time. Label sets beyond a thousand are counted together as `other`.
 */
export class BoundedCounts<Label extends string> {
  readonly #counts = new Map<string, { readonly labels: Record<string, string>; value: number }>();
  readonly #names: readonly Label[];

  constructor(options: { name: string; help: string; registers: Registry[] }, names: readonly Label[]) {
    this.#names = names;
    const counter: Counter = new Counter({
      ...options,
      labelNames: [...names],
      collect: () => {
        counter.reset();
        for (const { labels, value } of this.#counts.values()) counter.inc(labels, value);
      },
    });
  }

  /** The values of the labels in the order of their names. */
  add(amount: number, ...values: readonly string[]): void {
    const key = values.join("\n");
    const count = this.#counts.get(key) ?? this.#new(key, values);
    count.value += amount;
  }

  #new(key: string, values: readonly string[]): { value: number } {
    const full = this.#counts.size >= maxLabelSets;
    const known = full ? this.#counts.get(other) : undefined;
    if (known) return known;
    const labels = Object.fromEntries(this.#names.map((name, index) => [name, full ? other : (values[index] ?? "")]));
    const count = { labels, value: 0 };
    this.#counts.set(full ? other : key, count);
    return count;
  }
}

const other = "other";
