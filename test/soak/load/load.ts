/** The visitors of a soak: as many at once as allowed, each with one thing to do, as fast as the pace lets them come. */
import { errorText } from "../../../shared/errors.ts";
import type { Random } from "../../fuzz/random.ts";
import { Corruption, ShortAnswer, type Exchange } from "../exchange.ts";
import type { Pace } from "../pace.ts";
import { wayTo } from "../reach.ts";
import type { SoakWorld } from "../world.ts";
import { chooseKind } from "./kinds.ts";
import { Visitor } from "./visitor.ts";

/** Longer than anything a visitor does takes by itself. */
const patienceMs = 45_000;

export interface LoadOptions {
  readonly world: SoakWorld;
  readonly random: Random;
  readonly pace: Pace;
  readonly maxVisitors: number;
  readonly onExchange: (exchange: Exchange) => void;
}

export class Load {
  readonly #options: LoadOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #paused = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  get visitors(): number {
    return this.#running.size;
  }

  /** No new visitor comes; resolves when those who are here have left. */
  async pause(): Promise<void> {
    this.#paused = true;
    await Promise.all(this.#running);
  }

  resume(): void {
    this.#paused = false;
  }

  /** Ends every visitor at once; what they were about is not counted. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await Promise.all(this.#running);
  }

  async #run(): Promise<void> {
    const { pace, maxVisitors } = this.#options;
    while (!this.#stop.signal.aborted) {
      await pace.next();
      if (this.#paused || this.#running.size >= maxVisitors) continue;
      const visit = this.#visit().finally(() => this.#running.delete(visit));
      this.#running.add(visit);
    }
  }

  /** Never rejects. */
  async #visit(): Promise<void> {
    const { world, random, onExchange } = this.#options;
    const node = random.pick(world.nodes);
    const kind = chooseKind(random, node);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`not over after ${patienceMs} ms`)), patienceMs);
    const over = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, late.signal, over.signal]);
    const { relays, forwarded } = wayTo(node, world, random);
    const visitor = new Visitor({ node, relays, ca: world.ca, random, signal });
    const startedAt = performance.now();
    let outcome: Exchange["outcome"] = "done";
    let detail = "";
    let bytes = 0;
    try {
      bytes = await Promise.race([kind.run(visitor), rejected(signal)]);
    } catch (error) {
      outcome = error instanceof Corruption ? "corrupt" : error instanceof ShortAnswer ? "short" : "failed";
      detail = late.signal.aborted ? errorText(late.signal.reason) : errorText(error);
    }
    clearTimeout(timer);
    over.abort(); // it leaves
    if (this.#stop.signal.aborted) return;
    const where = {
      kind: kind.name,
      node: node.label,
      relay: visitor.relay,
      forwarded: forwarded && visitor.relay === relays[0]?.label,
    };
    onExchange({ ...where, startedAt, endedAt: performance.now(), bytes, outcome, detail });
  }
}

/** Rejects when the signal aborts: not everything that waits hears of a socket that its own side destroys. */
function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
