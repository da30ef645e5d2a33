import type { Clock } from "../../../shared/clock.ts";
import type { Permit } from "../routing/route.ts";
import { Breaker, type BreakerView, type Pass } from "./breaker.ts";
import { Load } from "./load.ts";

export interface AttemptsOptions {
  clock: Clock;
  random: () => number;
  /**
   * Nobody is there to fail. Calls of the next seconds may wait for it, which the breaker would end at the third: most
   * servers that go are being restarted.
   */
  isAway: () => boolean;
  /** The breaker has opened, or closed. */
  onBreaker: (view: BreakerView) => void;
}

/** The attempts at one provider: who may make one, how many are under way, and what the last ones have shown. */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #breaker: Breaker;
  readonly #load = new Load();

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#breaker = new Breaker(options.random);
  }

  get outstanding(): number {
    return this.#load.outstanding;
  }

  get firstByteMs(): number | undefined {
    return this.#load.firstByteMs(this.#now);
  }

  get breaker(): BreakerView {
    return this.#breaker.view(this.#now);
  }

  admit(): Permit | undefined {
    const pass = this.#breaker.admit(this.#now);
    if (!pass) return undefined;
    this.#load.outstanding++;
    return new AttemptPermit(this, pass);
  }

  /** The provider has come back. */
  reset(): void {
    this.#told(() => this.#breaker.reset());
  }

  succeeded(pass: Pass, firstByteMs: number): void {
    this.#load.measured(firstByteMs, this.#now);
    if (pass === "call") this.#breaker.succeeded(pass, this.#now);
    else this.#told(() => this.#breaker.succeeded(pass, this.#now));
  }

  failed(pass: Pass, retryAfterMs?: number): void {
    if (this.#options.isAway()) return this.abandoned(pass);
    this.#told(() => this.#breaker.failed(pass, this.#now, retryAfterMs));
  }

  abandoned(pass: Pass): void {
    this.#breaker.abandoned(pass);
  }

  ended(): void {
    this.#load.outstanding--;
  }

  get #now(): number {
    return this.#options.clock.now();
  }

  #told(change: () => void): void {
    const wasClosed = this.breaker.state === "closed";
    change();
    const view = this.breaker;
    if (wasClosed !== (view.state === "closed")) this.#options.onBreaker(view);
  }
}

class AttemptPermit implements Permit {
  readonly #attempts: Attempts;
  readonly #pass: Pass;
  #isJudged = false;
  #hasEnded = false;

  constructor(attempts: Attempts, pass: Pass) {
    this.#attempts = attempts;
    this.#pass = pass;
  }

  succeeded(firstByteMs: number): void {
    if (this.#judge()) this.#attempts.succeeded(this.#pass, firstByteMs);
  }

  failed(retryAfterMs?: number): void {
    if (this.#judge()) this.#attempts.failed(this.#pass, retryAfterMs);
  }

  abandoned(): void {
    if (this.#judge()) this.#attempts.abandoned(this.#pass);
  }

  [Symbol.dispose](): void {
    this.abandoned(); // unless something was said: a probe that nobody judges would keep everybody out
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#attempts.ended();
  }

  #judge(): boolean {
    if (this.#isJudged) return false;
    this.#isJudged = true;
    return true;
  }
}
