/** Quotes that may be shown again: what they say does not change, and each cost the hardware its time. */
import type { Clock } from "../../../shared/clock.ts";
import type { AgentQuote } from "../dstack/guest-agent.ts";

/** How long a quote without a caller's nonce is shown, and one with it to whoever asks with it again. */
export const quoteWindowMs = 5 * 60_000;
/** A quote with its event log has some 20 kB. */
const maxKept = 256;

export class QuoteCache {
  readonly #clock: Clock;
  /** By report data, hex; the oldest first. */
  readonly #kept = new Map<string, { readonly at: number; readonly quote: Promise<AgentQuote> }>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** The quote there is, or the one that `make` makes now; whoever asks meanwhile waits for the same. */
  async get(reportData: Uint8Array, make: () => Promise<AgentQuote>): Promise<AgentQuote> {
    const key = Buffer.from(reportData).toString("hex");
    const kept = this.#kept.get(key);
    if (kept && this.#clock.now() - kept.at < quoteWindowMs) return await kept.quote;
    return await this.put(reportData, make());
  }

  /** Shows this one from now on, unless it fails. */
  async put(reportData: Uint8Array, quote: Promise<AgentQuote>): Promise<AgentQuote> {
    const key = Buffer.from(reportData).toString("hex");
    const entry = { at: this.#clock.now(), quote };
    this.#kept.delete(key);
    this.#kept.set(key, entry);
    if (this.#kept.size > maxKept) for (const oldest of [...this.#kept.keys()].slice(0, 1)) this.#kept.delete(oldest);
    try {
      return await quote;
    } catch (error) {
      if (this.#kept.get(key) === entry) this.#kept.delete(key);
      throw error;
    }
  }
}
