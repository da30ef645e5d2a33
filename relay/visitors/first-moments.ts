/**
 * A relay that has just started has visitors before it knows its fleet, and before nodes are back: DNS has led to it all
 * along. In its first moments visitors that it cannot serve wait for news rather than be refused.
 */
import type { Clock } from "../../shared/clock.ts";
import type { Refusal } from "./refusals.ts";

/** For so long at most, from when it listens. */
export const firstMomentsMs = 3_000;

export interface FirstMomentsOptions {
  ms: number;
  clock: Clock;
}

export class FirstMoments {
  readonly #options: FirstMomentsOptions;
  readonly #end = new AbortController();
  #waiting: (() => void)[] = [];
  #isInformed = false;

  constructor(options: FirstMomentsOptions) {
    this.#options = options;
  }

  /** Whether the edge has told what it knows since the relay has started. */
  get isInformed(): boolean {
    return this.#isInformed;
  }

  get areOver(): boolean {
    return this.#end.signal.aborted;
  }

  /** The relay listens from now on. */
  begin(): void {
    const { ms, clock } = this.#options;
    void clock.sleep(ms, this.#end.signal).then(
      () => this.end(),
      () => {},
    );
  }

  inform(): void {
    this.#isInformed = true;
    this.news();
  }

  /** Something has become known, or a tunnel has come: who waits may be served now. */
  news(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Visitors are refused at once from now on. */
  end(): void {
    this.#end.abort();
    this.news();
  }

  /** Resolves at the next news, at the latest when the first moments are over. */
  next(): Promise<void> {
    if (this.areOver) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Not to be served for want of a tunnel, here or elsewhere. */
const withoutTunnel: ReadonlySet<Refusal> = new Set<Refusal>(["no-tunnel", "pairing-closed", "forward-refused"]);

/** Whether a visitor should wait for news rather than be refused. `isExpected`: its node is to have a tunnel here. */
export function decideStay(
  refusal: Refusal,
  { isInformed, isExpected }: { isInformed: boolean; isExpected: boolean },
): boolean {
  if (refusal === "lookup-unavailable") return !isInformed;
  return withoutTunnel.has(refusal) && (!isInformed || isExpected);
}
