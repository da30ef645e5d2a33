/** Alerts on their way to a webhook. They stand in the memory file until they are taken, so none is lost by a restart. */
import { decideBackoffMs } from "../../../shared/backoff.ts";
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { Alert } from "./alert.ts";
import { maxWaitingAlerts, type MemoryFile } from "./memory.ts";
import { deliver, type Webhook } from "./webhook.ts";

/** So many failures one after the other are the receiver's, not the alert's: the rest waits. */
const maxFailuresInRow = 3;
const retry = { baseMs: 5_000, maxMs: 3_600_000 };

export interface OutboxOptions {
  readonly webhook: Webhook | undefined;
  readonly file: MemoryFile;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export class Outbox {
  readonly #options: OutboxOptions;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Takes an alert; the caller saves the memory. Without a webhook there is nowhere to send it. */
  add(alert: Alert): void {
    const { webhook, file, clock, log } = this.#options;
    if (!webhook) return;
    const { outbox } = file.memory;
    outbox.push({ alert, attempts: 0, nextAt: clock.now() });
    for (const { alert: lost } of outbox.splice(0, outbox.length - maxWaitingAlerts))
      log.error("alert.dropped", { alert: lost.id, type: lost.type, reason: `more than ${maxWaitingAlerts} wait` });
  }

  /** Tries once each that is due, oldest first; one that is not taken waits longer each time. */
  async deliverDue(signal: AbortSignal): Promise<void> {
    const { webhook, file, fetch, clock, random, log } = this.#options;
    if (!webhook) return;
    const due = file.memory.outbox.filter(({ nextAt }) => nextAt <= clock.now());
    let failures = 0;
    for (const waiting of due) {
      if (failures >= maxFailuresInRow) return;
      try {
        await deliver(webhook, waiting.alert, { fetch, now: clock.now(), signal });
        file.memory.outbox.splice(file.memory.outbox.indexOf(waiting), 1);
        failures = 0;
        log.info("alert.delivered", { alert: waiting.alert.id, attempts: waiting.attempts + 1 });
      } catch (error) {
        signal.throwIfAborted();
        failures++;
        waiting.nextAt = clock.now() + decideBackoffMs(waiting.attempts++, { ...retry, random });
        log.warn("alert.undelivered", {
          alert: waiting.alert.id,
          attempts: waiting.attempts,
          nextAt: new Date(waiting.nextAt).toISOString(),
          error: errorText(error),
        });
      }
      file.save();
    }
  }
}
