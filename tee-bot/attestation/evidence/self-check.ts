/**
 * Verifies the node's own evidence as a visitor would, every few minutes and whenever something has changed, so that the
 * operator hears of what visitors would refuse before they do, and a node that must prove itself stops when it cannot.
 */
import { decideBackoffMs } from "../../../shared/backoff.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { Check } from "../../../shared/attestation/check.ts";
import { decideStanding, standingOfError, type Standing } from "./standing.ts";

export interface SelfCheckOptions {
  /** Takes a fresh quote, has it verified, and tells when what it stands on ends (ms since 1970). */
  readonly verify: (signal: AbortSignal) => Promise<SelfCheckAnswer>;
  readonly simulated: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The standing says something else than before. */
  readonly onChange: () => void;
}

export interface SelfCheckAnswer {
  readonly checks: readonly Check[];
  /** Of the TLS key that the quote names. */
  readonly spkiSha256: string;
  readonly validUntil: number | undefined;
}

export const selfCheckIntervalMs = 5 * 60_000;
/** One slow answer is no verdict. */
const attempts = 2;
const retry = { baseMs: 2_000, maxMs: 60_000 };
const minimumMs = 1_000;

export class SelfCheck {
  readonly #options: SelfCheckOptions;
  #standing: Standing = { state: "unknown" };
  #validUntil: number | undefined;
  #failures = 0;
  #wanted = false;
  #wake = new AbortController();

  constructor(options: SelfCheckOptions) {
    this.#options = options;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** Looks soon rather than at the next interval. */
  check(): void {
    this.#wanted = true;
    this.#wake.abort();
  }

  /** Looks now and again until the signal aborts; the first time when it is asked for. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const woken = AbortSignal.any([signal, this.#wake.signal]);
      if (!this.#wanted) await this.#options.clock.sleep(this.#pauseMs(), woken).catch(() => {});
      if (signal.aborted || (this.#standing.state === "unknown" && !this.#wanted)) continue;
      this.#wanted = false;
      this.#note(await this.#look(signal));
    }
  }

  async #look(signal: AbortSignal): Promise<Standing> {
    const { verify, simulated, clock } = this.#options;
    let failed: unknown;
    for (let attempt = 0; attempt < attempts && !signal.aborted; attempt++)
      try {
        const { checks, spkiSha256, validUntil } = await verify(signal);
        this.#validUntil = validUntil;
        return decideStanding(checks, { spkiSha256, simulated, at: clock.now() });
      } catch (error) {
        failed = error;
      }
    return signal.aborted ? this.#standing : standingOfError(failed, clock.now());
  }

  #note(standing: Standing): void {
    const before = this.#standing;
    this.#standing = standing;
    this.#failures = standing.state === "bad" ? this.#failures + 1 : 0;
    if (sameStanding(before, standing)) return;
    if (standing.state === "good") this.#options.log.info("evidence.accepted", { spkiSha256: standing.spkiSha256 });
    if (standing.state === "bad") this.#options.log.warn("evidence.refused", { detail: standing.trouble.detail });
    this.#options.onChange();
  }

  #pauseMs(): number {
    const { clock, random } = this.#options;
    if (this.#failures > 0) return Math.max(minimumMs, decideBackoffMs(this.#failures - 1, { ...retry, random }));
    const left = this.#validUntil === undefined ? selfCheckIntervalMs : this.#validUntil - clock.now() + minimumMs;
    return Math.max(minimumMs, Math.min(selfCheckIntervalMs, left));
  }
}

function sameStanding(one: Standing, other: Standing): boolean {
  return JSON.stringify({ ...one, at: 0 }) === JSON.stringify({ ...other, at: 0 });
}
