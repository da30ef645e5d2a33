/**
 * Asks the edge for a name that the feed has not told yet. Strangers choose the names, so: one question a name at a
 * time, a bound on questions in flight, and "no such name" is remembered for a while.
 */
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { Rate } from "../../shared/rate.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { routeSchema, type Route } from "../../shared/registry/messages.ts";

const missMs = 3_000;
const maxMisses = 10_000;
/** Strangers choose what visitors ask for; what they leave is for nodes that want to come in. */
const maxInFlightForVisitors = 64;
const maxInFlight = 2 * maxInFlightForVisitors;
const lookupMs = 3_000;

/** `unavailable`: the edge did not say; the name may exist. */
export type Lookup = { kind: "route"; route: Route } | { kind: "unknown" } | { kind: "unavailable" };

export interface EdgeLookupOptions {
  edge: EdgeClient;
  onAnswer: (outcome: Lookup["kind"]) => void;
  clock: Clock;
  log: Log;
}

export class EdgeLookup {
  readonly #options: EdgeLookupOptions;
  readonly #inFlight = new Map<string, Promise<Lookup>>();
  readonly #misses = new Map<string, number>();
  readonly #failures: Rate;

  constructor(options: EdgeLookupOptions) {
    this.#options = options;
    this.#failures = new Rate(options);
  }

  /** For visitors: may answer from memory that there is no such name. Never rejects. */
  find(name: string): Promise<Lookup> {
    const missedAt = this.#misses.get(name);
    if (missedAt !== undefined && missedAt > this.#options.clock.now() - missMs)
      return Promise.resolve({ kind: "unknown" });
    return this.#ask(name, maxInFlightForVisitors);
  }

  /** For nodes: asks in any case. Never rejects. */
  ask(name: string): Promise<Lookup> {
    return this.#ask(name, maxInFlight);
  }

  /** The feed has told of the name: what was missed once is not missed any more. */
  forgetMiss(name: string): void {
    this.#misses.delete(name);
  }

  #ask(name: string, max: number): Promise<Lookup> {
    const asked = this.#inFlight.get(name);
    if (asked) return asked;
    if (this.#inFlight.size >= max) return Promise.resolve({ kind: "unavailable" });
    const answer = this.#request(name).finally(() => this.#inFlight.delete(name));
    void answer.then(({ kind }) => this.#options.onAnswer(kind));
    this.#inFlight.set(name, answer);
    return answer;
  }

  async #request(name: string): Promise<Lookup> {
    const { edge, clock, log } = this.#options;
    try {
      const signal = AbortSignal.timeout(lookupMs);
      const path = `/v1/routes/${encodeURIComponent(name)}`;
      const route = await edge.request("GET", path, routeSchema, { signal });
      if (route.name !== name) throw new AppError("upstream-unavailable", "The edge answered for another name.");
      return { kind: "route", route };
    } catch (error) {
      if (error instanceof AppError && (error.code === "not-found" || error.code === "not-registered")) {
        this.#remember(name, clock.now());
        return { kind: "unknown" };
      }
      this.#failures.count();
      if (this.#failures.thisSecond === 1) log.warn("lookup.failed", { name, error: errorText(error) });
      return { kind: "unavailable" };
    }
  }

  #remember(name: string, now: number): void {
    this.#misses.delete(name);
    this.#misses.set(name, now);
    for (const [oldest, missedAt] of this.#misses) {
      if (this.#misses.size <= maxMisses && missedAt > now - missMs) break;
      this.#misses.delete(oldest);
    }
  }
}
