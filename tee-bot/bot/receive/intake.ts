/**
 * What becomes of each thing that the REST server gives, from wherever it comes: an event is stored, everything else is
 * counted. It has the mailbox's slot and nothing else, so it cannot call anybody, whatever comes in.
 */
import type { Clock } from "../../../shared/clock.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { BotEvent } from "../events/event.ts";
import { readEvent } from "../events/read-event.ts";
import type { MailSlot } from "../mail/mailbox.ts";
import { HeldEvents } from "./held-events.ts";

export interface IntakeOptions {
  slot: MailSlot;
  /** The bot's number; undefined: whatever comes is for it. */
  account: string | undefined;
  /** Told of the account that the first event is for. */
  onAccount?: (account: string) => void;
  clock: Clock;
  log: Log;
}

export type Taken =
  | "stored"
  /** It came before. */
  | "known"
  /** It is stored as soon as the mailbox takes it, unless this process ends before. */
  | "held"
  | "ignored"
  | "malformed"
  /** There is no room for it anywhere. */
  | "lost";

/** Numbers only. */
export interface IntakeState {
  readonly stored: number;
  readonly known: number;
  readonly ignored: number;
  readonly malformed: number;
  /** Since the start; their senders would have to write again. */
  readonly lost: number;
  /** For another account. */
  readonly strange: number;
  /** In memory, until the mailbox takes them. */
  readonly held: number;
  /** When an event came in last, by our clock. */
  readonly lastAt: number | undefined;
}

const drainEveryMs = 1_000;
/** A mailbox that takes nothing stays so for a while: it is told once in so long. */
const quietMs = 60_000;

export class Intake implements Disposable {
  readonly #options: IntakeOptions;
  readonly #held = new HeldEvents();
  readonly #counts = { stored: 0, known: 0, ignored: 0, malformed: 0, lost: 0, strange: 0 };
  readonly #ownUuids = new Map<string, string>();
  #account: string | undefined;
  #lastAt: number | undefined;
  #draining: NodeJS.Timeout | undefined;
  #toldAt = -Infinity;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#account = options.account;
  }

  /** `params` of a notification; `bytes` is about how large it is. Never throws. */
  take(params: unknown, bytes: number): Taken {
    const { account, event, ownUuid } = readEvent(params, this.#ownUuids.get(this.#account ?? ""));
    if (account !== undefined && this.#account !== undefined && account !== this.#account) {
      this.#counts.strange++;
      return "ignored";
    }
    if (account !== undefined && ownUuid !== undefined) this.#ownUuids.set(account, ownUuid);
    if (event.kind === "ignored") {
      this.#options.log.debug("event.ignored", { reason: event.reason });
      const outcome = event.reason === "malformed" ? "malformed" : "ignored";
      this.#counts[outcome]++;
      return outcome;
    }
    this.#learn(event.account);
    if (event.kind === "receipt") {
      this.#counts.ignored++; // nothing waits for it, and there is one for each message of ours
      return "ignored";
    }
    return this.#store(event, bytes);
  }

  state(): IntakeState {
    return { ...this.#counts, held: this.#held.size, lastAt: this.#lastAt };
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#draining);
    this.#draining = undefined;
    if (this.#drain()) return;
    this.#counts.lost += this.#held.size;
    this.#options.log.error("events.lost", { count: this.#held.size, why: "the mailbox took nothing until the end" });
  }

  /** The REST server may have others, which are none of the bot's. */
  #learn(account: string): void {
    if (this.#account !== undefined) return;
    this.#account = account;
    this.#options.onAccount?.(account);
  }

  #store(event: BotEvent, bytes: number): Taken {
    const { slot, clock } = this.#options;
    this.#lastAt = clock.now();
    try {
      if (!this.#drain()) return this.#hold(event, bytes); // those before it come first
      const outcome = slot.put(event) === "new" ? "stored" : "known";
      this.#counts[outcome]++;
      return outcome;
    } catch (error) {
      this.#tell(error);
      return isPassing(error) ? this.#hold(event, bytes) : this.#lose();
    }
  }

  #hold(event: BotEvent, bytes: number): Taken {
    if (!this.#held.add(event, bytes)) return this.#lose();
    this.#drainLater();
    return "held";
  }

  #drainLater(): void {
    this.#draining ??= setTimeout(() => {
      this.#draining = undefined;
      if (!this.#drain()) this.#drainLater();
    }, drainEveryMs).unref();
  }

  #lose(): "lost" {
    this.#counts.lost++;
    return "lost";
  }

  /** Whether nothing is held any more. */
  #drain(): boolean {
    const before = this.#held.size;
    if (before === 0) return true;
    try {
      this.#held.drain((event) => this.#storeHeld(event));
    } catch (error) {
      this.#tell(error);
      return false;
    }
    this.#options.log.info("events.drained", { count: before });
    return true;
  }

  /** Throws where the others have to wait as well. */
  #storeHeld(event: BotEvent): void {
    try {
      const outcome = this.#options.slot.put(event);
      this.#counts[outcome === "new" ? "stored" : "known"]++;
    } catch (error) {
      if (isPassing(error)) throw error;
      this.#tell(error);
      this.#lose();
    }
  }

  #tell(error: unknown): void {
    const { clock, log } = this.#options;
    const now = clock.now();
    if (now - this.#toldAt < quietMs) return;
    this.#toldAt = now;
    log.error("mailbox.failed", { error: errorText(error), held: this.#held.size, lost: this.#counts.lost });
  }
}

/** It is the mailbox, not the event: later it may be taken. */
function isPassing(error: unknown): boolean {
  return error instanceof AppError && error.code === "overloaded";
}
