import { Counter, type CounterConfiguration } from "prom-client";

/**
 * A counter with one label, for what happens to each connection: counted in a plain map, of which the registry hears when
 * somebody asks. It would look up a label by the text of all labels each time.
 */
export class Tally<Label extends string> {
  readonly #counts = new Map<string, number>();

  constructor(options: Omit<CounterConfiguration<Label>, "labelNames" | "collect">, label: Label) {
    const counter: Counter<Label> = new Counter({
      ...options,
      labelNames: [label],
      collect: () => {
        counter.reset();
        for (const [value, count] of this.#counts) counter.labels(value).inc(count);
      },
    });
  }

  add(value: string): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }
}
