import type { BotEvent } from "../events/event.ts";

/** Some megabytes at most, for the usual message. */
export const maxHeldEvents = 2_000;
export const maxHeldBytes = 16 * 1024 * 1024;

/** Events that the mailbox does not take now: in memory only, so few, and not for long. */
export class HeldEvents {
  readonly #events: { readonly event: BotEvent; readonly bytes: number }[] = [];
  #bytes = 0;

  get size(): number {
    return this.#events.length;
  }

  /** Whether there was room. */
  add(event: BotEvent, bytes: number): boolean {
    if (this.#events.length >= maxHeldEvents || this.#bytes + bytes > maxHeldBytes) return false;
    this.#events.push({ event, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** Hands over the oldest first, until that throws; what was handed over is gone from here. */
  drain(handOver: (event: BotEvent) => void): void {
    let done = 0;
    try {
      for (const { event } of this.#events) {
        handOver(event);
        done++;
      }
    } finally {
      for (const { bytes } of this.#events.splice(0, done)) this.#bytes -= bytes;
    }
  }
}
