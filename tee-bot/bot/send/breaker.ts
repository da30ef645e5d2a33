/**
 * Whether messages may be sent now. A rate limit stops them for a time that grows. When the server is lost, or does not
 * say what became of a message, it has to answer something harmless first: each message that is tried on a server
 * that hangs would be one more of which nobody knows whether it went out. The same after a time of silence.
 */
import { decideBackoffMs } from "../../../shared/backoff.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { Sensitive } from "../../../shared/sensitive.ts";

export type Pause =
  | { readonly why: "rate-limited"; readonly until: number; readonly challenge: Sensitive<string> | undefined }
  | { readonly why: "lost"; readonly until: number };

export type Permission = "send" | "probe" | { readonly waitMs: number };

/** A server that has said nothing for so long may have gone since; a reply is not the way to find out. */
const heardMs = 10_000;
const firstLimitMs = 60_000;
const longestLimitMs = 60 * 60_000;
/** A server that restarts is back within seconds. */
const lostPause = { baseMs: 250, maxMs: 10_000 };
/** One that swallows messages while it answers probes is asked seldom. */
const swallowedPause = { baseMs: 2_000, maxMs: 5 * 60_000 };

export function decideLimitMs(timesBefore: number): number {
  return Math.min(longestLimitMs, firstLimitMs * 2 ** Math.min(timesBefore, 20));
}

/** `heardAt`: when the server last answered. */
export function decidePermission(pause: Pause | undefined, heardAt: number, now: number): Permission {
  if (!pause) return now - heardAt < heardMs ? "send" : "probe";
  if (pause.until > now) return { waitMs: pause.until - now };
  // After a rate limit nothing but a message can show whether it is over.
  return pause.why === "lost" ? "probe" : "send";
}

export class Breaker {
  readonly #clock: Clock;
  readonly #random: () => number;
  #pause: Pause | undefined;
  #limits = 0;
  #losses = 0;
  #swallowed = 0;
  #heardAt = -Infinity;
  #lookedAt = -Infinity;

  constructor({ clock, random = Math.random }: { clock: Clock; random?: () => number }) {
    this.#clock = clock;
    this.#random = random;
  }

  get pause(): Pause | undefined {
    return this.#pause;
  }

  get permission(): Permission {
    const now = this.#clock.now();
    if (now < this.#lookedAt) this.#forgetTimes();
    this.#lookedAt = now;
    return decidePermission(this.#pause, this.#heardAt, now);
  }

  rateLimited(challenge: Sensitive<string> | undefined): void {
    this.#pause = { why: "rate-limited", until: this.#clock.now() + decideLimitMs(this.#limits++), challenge };
  }

  /** No connection, or a probe that failed. */
  lost(): void {
    const waitMs = decideBackoffMs(this.#losses++, { ...lostPause, random: this.#random });
    this.#pause = { why: "lost", until: this.#clock.now() + waitMs };
  }

  /** Nobody knows what became of a message. */
  messageLost(): void {
    const waitMs = decideBackoffMs(this.#swallowed++, { ...swallowedPause, random: this.#random });
    this.#pause = { why: "lost", until: this.#clock.now() + waitMs };
  }

  /** The server answers. Whether it takes messages is not known yet. */
  found(): void {
    this.#heardAt = this.#clock.now();
    this.#losses = 0;
    if (this.#pause?.why === "lost") this.#pause = undefined;
  }

  /** The server said what became of a message, though it may have refused it. */
  answered(): void {
    this.found();
    this.#swallowed = 0;
  }

  sent(): void {
    this.answered();
    this.#limits = 0;
    this.#pause = undefined;
  }

  /** Somebody has done what lifts a limit: do not wait any longer. */
  retry(): void {
    this.#pause = this.#pause && { ...this.#pause, until: this.#clock.now() };
  }

  /** The clock was set back: what was noted by it is in the future, and would hold for too long. */
  #forgetTimes(): void {
    this.retry();
    this.#heardAt = -Infinity;
  }
}
