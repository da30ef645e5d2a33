/** Tells the edge what became of deliveries, several at once, and again until it has heard. */
import { z } from "zod";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import { maxBatch, type Outcome } from "../../shared/inbox/messages.ts";
import type { Log } from "../../shared/log.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface OutcomesOptions {
  readonly node: NodeId;
  readonly edge: EdgeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** The edge remembers the nonce of each request for five minutes, and only so many of one node. */
const gapMs = 250;
const backoff = { baseMs: 200, maxMs: 10_000 };
/** For one last try while the node stops. */
const lastTryMs = 1_500;

interface Waiting {
  readonly epoch: number;
  readonly outcome: Outcome;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export class Outcomes {
  readonly #options: OutcomesOptions;
  #waiting: Waiting[] = [];
  #isSending = false;

  constructor(options: OutcomesOptions) {
    this.#options = options;
  }

  /** Resolves when the edge has noted it; rejects when it does not want to hear it, or the node stops. */
  tell(epoch: number, outcome: Outcome, signal: AbortSignal): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ epoch, outcome, done, failed });
      if (!this.#isSending) void this.#sendAll(signal);
    });
  }

  async #sendAll(signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options;
    this.#isSending = true;
    for (let attempt = 0; this.#waiting.length > 0;) {
      const batch = this.#nextBatch();
      try {
        await this.#send(batch, signal);
        for (const { done } of batch) done();
        attempt = 0;
        await clock.sleep(gapMs, signal).catch(() => {});
      } catch (error) {
        if (signal.aborted || isFinal(error)) {
          for (const { failed } of batch) failed(error);
          continue;
        }
        this.#waiting.unshift(...batch);
        const waitMs = decideBackoffMs(attempt++, { ...backoff, random });
        log.warn("outcomes.untold", { count: this.#waiting.length, error: errorText(error), retryInMs: waitMs });
        await clock.sleep(waitMs, signal).catch(() => {});
      }
    }
    this.#isSending = false;
  }

  /** The oldest, of one epoch. */
  #nextBatch(): Waiting[] {
    const epoch = this.#waiting[0]?.epoch;
    const other = this.#waiting.findIndex((one) => one.epoch !== epoch);
    return this.#waiting.splice(0, Math.min(maxBatch, other === -1 ? Infinity : other));
  }

  async #send(batch: readonly Waiting[], signal: AbortSignal): Promise<void> {
    const { node, edge } = this.#options;
    const body = { epoch: batch[0]?.epoch, outcomes: batch.map(({ outcome }) => outcome) };
    const patience = signal.aborted ? { timeoutMs: lastTryMs } : {};
    await edge.request("POST", `/v1/nodes/${node}/inbox/outcomes`, z.unknown(), { body, ...patience });
  }
}

/** Another process has the inbox, or nobody has it any more: what was not told comes again, or never. */
function isFinal(error: unknown): boolean {
  return error instanceof AppError && (error.code === "epoch-superseded" || error.code === "not-found");
}
