/** Everything that was seen in a soak, kept small enough for days. */
import type { Disturbance, Exchange } from "./exchange.ts";
import { isExcused, type Observations } from "./judge.ts";

const maxFailures = 5_000;
const maxWords = 200;

type Counts = Record<Exchange["outcome"], number>;

export class Notes {
  readonly disturbances: Disturbance[] = [];
  readonly stuck: string[] = [];
  readonly lingering: string[] = [];
  readonly incidents: string[] = [];
  /** Milliseconds from the end of each fault until every name answered. */
  readonly recoveries: number[] = [];
  readonly #counts = new Map<string, Counts>();
  /** Whether they are excused is known only once their fault is over. */
  readonly #failures: Exchange[] = [];
  #bytes = 0;

  get exchanges(): number {
    return [...this.#counts.values()].reduce((sum, counts) => sum + total(counts), 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get unexcused(): Exchange[] {
    return this.#failures.filter((exchange) => !isExcused(exchange, this.disturbances));
  }

  get counts(): Observations["counts"] {
    return this.#counts;
  }

  add(exchange: Exchange): void {
    const counts = this.#counts.get(exchange.kind) ?? { done: 0, failed: 0, short: 0, corrupt: 0 };
    counts[exchange.outcome]++;
    this.#counts.set(exchange.kind, counts);
    this.#bytes += exchange.bytes;
    if (exchange.outcome !== "done" && this.#failures.length < maxFailures) this.#failures.push(exchange);
  }

  note(list: "stuck" | "lingering" | "incidents", words: string): void {
    if (this[list].length < maxWords) this[list].push(words);
  }
}

function total({ done, failed, short, corrupt }: Counts): number {
  return done + failed + short + corrupt;
}
