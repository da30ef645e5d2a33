/**
 * Asks the hardware for quotes, one at a time: it makes no two at once, and each takes long. Clients take turns, so that
 * one who asks for many waits for his own alone.
 */
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { AgentQuote, GuestAgent } from "../dstack/guest-agent.ts";

/** Of one client, besides the quote that is being made. */
export const maxWaitingPerClient = 4;
/** Of all clients: what the hardware makes in some seconds. */
export const maxWaiting = 64;
export const maxWaitMs = 10_000;

interface Waiting {
  readonly reportData: Uint8Array;
  readonly done: (quote: Promise<AgentQuote>) => void;
}

export class QuoteQueue {
  readonly #agent: Pick<GuestAgent, "quote">;
  readonly #clock: Clock;
  /** Whose turn is next comes first. A client is here while he waits. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #own: Waiting[] = [];
  #count = 0;
  #busy = false;

  constructor({ agent, clock }: { agent: Pick<GuestAgent, "quote">; clock: Clock }) {
    this.#agent = agent;
    this.#clock = clock;
  }

  /**
   * A quote over these 64 bytes. Throws `too-many-requests` and `overloaded` when too many wait already, or when its turn
   * does not come in time, and what the guest agent throws. With the signal it is given up.
   */
  async quote(reportData: Uint8Array, client: string, signal?: AbortSignal): Promise<AgentQuote> {
    signal?.throwIfAborted();
    const own = this.#waiting.get(client)?.length ?? 0;
    if (own >= maxWaitingPerClient)
      throw new AppError("too-many-requests", `${own} quotes for this address are on their way. Wait for them.`);
    if (this.#count >= maxWaiting)
      throw new AppError("overloaded", `${this.#count} quotes are waited for. Try again in some seconds.`);
    return await this.#wait(reportData, client, signal);
  }

  /** A quote for the node itself: the next that is made, whoever waits. */
  async own(reportData: Uint8Array, signal: AbortSignal): Promise<AgentQuote> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<AgentQuote>();
    this.#own.push({ reportData, done: resolve });
    this.#next();
    return await promise;
  }

  async #wait(reportData: Uint8Array, client: string, signal: AbortSignal | undefined): Promise<AgentQuote> {
    const over = new AbortController();
    const given = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
    const { promise, resolve, reject } = Promise.withResolvers<AgentQuote>();
    const waiting: Waiting = { reportData, done: resolve };
    this.#add(client, waiting);
    given.addEventListener("abort", () => this.#drop(client, waiting) && reject(given.reason), { once: true });
    const late = new AppError("overloaded", `The hardware had no time for a quote within ${maxWaitMs / 1000} s.`);
    const ended = new AbortController();
    void this.#clock.sleep(maxWaitMs, ended.signal).then(
      () => over.abort(late),
      () => {}, // it was done in time
    );
    this.#next();
    try {
      return await promise;
    } finally {
      ended.abort();
    }
  }

  #add(client: string, waiting: Waiting): void {
    const own = this.#waiting.get(client);
    if (own) own.push(waiting);
    else this.#waiting.set(client, [waiting]);
    this.#count++;
  }

  /** Whether it still waited. */
  #drop(client: string, waiting: Waiting): boolean {
    const own = this.#waiting.get(client);
    const at = own?.indexOf(waiting) ?? -1;
    if (!own || at < 0) return false;
    own.splice(at, 1);
    if (own.length === 0) this.#waiting.delete(client);
    this.#count--;
    return true;
  }

  #next(): void {
    if (this.#busy) return;
    const waiting = this.#own.shift() ?? this.#takeTurn();
    if (!waiting) return;
    this.#busy = true;
    void this.#make(waiting);
  }

  async #make({ reportData, done }: Waiting): Promise<void> {
    const quote = this.#agent.quote(reportData);
    done(quote);
    await quote.catch(() => {}); // whoever waits for it hears of it
    this.#busy = false;
    this.#next();
  }

  /** The first of the client whose turn it is, who then stands behind all others. */
  #takeTurn(): Waiting | undefined {
    const [turn] = this.#waiting;
    const [client, [waiting] = []] = turn ?? [];
    if (client === undefined || !waiting || !turn) return undefined;
    this.#drop(client, waiting);
    if (this.#waiting.delete(client)) this.#waiting.set(client, turn[1]);
    return waiting;
  }
}
