/**
 * Works through the mailbox: each chat in order, several chats at once. What it does not finish is there at the next start;
 * until a mail is answered nothing of the work is seen outside, so that it may be done again.
 */
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { Mail, Mailbox, Reply } from "../mail/mailbox.ts";
import { isStoreTrouble, reasonOf, type Setback } from "./setback.ts";
import type { Run, Runs } from "./runs.ts";

export interface WorkerOptions {
  readonly mailbox: Pick<Mailbox, "onNews" | "take" | "answer" | "postpone">;
  readonly runs: Runs;
  /** Makes the replies to a mail; may throw anything. */
  readonly work: (run: Run) => Promise<readonly Reply[]>;
  /** What becomes of a mail on which that failed. */
  readonly onFailure: (run: Run, error: unknown) => SettledFailure;
  /** A mail is settled, and not in hand again. */
  readonly onDone: (mail: Mail) => void;
  /** Chats at once. */
  readonly concurrent: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A setback whose sentence has become replies. */
export type SettledFailure = Extract<Setback, { kind: "postpone" }> | { kind: "answer"; replies: readonly Reply[] };

/** Urgent mail that is taken at once beyond what is answered at once: it is short work. */
const urgentRoom = 16;
/** Mail that was postponed is due without any news. */
const lookMs = 500;
/** The disk does not take what was done; there is nothing better than to try again. */
const diskRetryMs = 1_000;
/** At a stop, what is nearly done may be finished in this time. */
export const graceMs = 2_000;
/** What was told to end has ended by then, or is left behind. */
const endMs = 500;

export class Worker {
  readonly #options: WorkerOptions;
  #wake = (): void => {};
  #hasNews = false;
  #storeAwaySince: number | undefined;
  #answered = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Mail that was answered since the start. */
  get answered(): number {
    return this.#answered;
  }

  /** How long the store has been away for all that is known; 0: it is not. */
  get storeAwayMs(): number {
    const { clock } = this.#options;
    return this.#storeAwaySince === undefined ? 0 : Math.max(1, clock.now() - this.#storeAwaySince);
  }

  /** Until `stop`; then what is in hand gets some time, and is put back if that was too short. */
  async run(stop: AbortSignal): Promise<void> {
    const { mailbox, runs, clock } = this.#options;
    mailbox.onNews(() => this.#news());
    stop.addEventListener("abort", () => this.#news(), { once: true });
    while (!stop.aborted) {
      this.#takeAll();
      await this.#nextNews();
    }
    await Promise.race([runs.settled(), clock.sleep(graceMs)]);
    runs.endAll("stopping");
    await Promise.race([runs.settled(), clock.sleep(endMs)]);
  }

  #takeAll(): void {
    const { mailbox, runs, concurrent, log } = this.#options;
    const room = concurrent - runs.size;
    try {
      const mails = room > 0 ? mailbox.take(room) : mailbox.take(urgentRoom, "urgent");
      for (const mail of mails) void this.#handle(runs.begin(mail));
    } catch (error) {
      log.error("mailbox.failed", { at: "take", reason: reasonOf(error) });
    }
  }

  async #handle(run: Run): Promise<void> {
    const { work, log, clock } = this.#options;
    const startedAt = clock.now();
    try {
      const replies = await work(run);
      this.#storeAwaySince = undefined;
      await this.#settle(run, () => this.#answer(run, replies));
      log.info("mail.answered", { kind: run.mail.event.kind, replies: replies.length, ms: clock.now() - startedAt });
    } catch (error) {
      await this.#fail(run, error);
    } finally {
      run[Symbol.dispose]();
      this.#news();
    }
  }

  async #fail(run: Run, error: unknown): Promise<void> {
    const { mailbox, onFailure, onDone, log, clock } = this.#options;
    if (isStoreTrouble(error) && !run.ending) this.#storeAwaySince ??= clock.now();
    const { kind } = run.mail.event;
    const failure = onFailure(run, error);
    if (failure.kind === "answer") return this.#settle(run, () => this.#answer(run, failure.replies));
    const { reason, delayMs, isCounted } = failure;
    log[isCounted ? "info" : "debug"]("mail.postponed", { kind, reason, attempts: run.mail.attempts, delayMs });
    await this.#settle(run, () => {
      if (mailbox.postpone(run.mail, { reason, delayMs, isCounted }) !== "dead") return;
      log.error("mail.given-up", { kind, reason });
      onDone(run.mail);
    });
  }

  /** Nobody is answered a question that they took back meanwhile. */
  #answer({ mail, ending }: Run, replies: readonly Reply[]): void {
    this.#options.mailbox.answer(mail, ending === "withdrawn" ? [] : replies);
    this.#answered++;
    this.#options.onDone(mail);
  }

  /** Until the disk takes it; at a stop it is left as it is, which is in hand, and done again. */
  async #settle(run: Run, write: () => void): Promise<void> {
    const { clock, log } = this.#options;
    for (;;) {
      try {
        return write();
      } catch (error) {
        log.error("mailbox.failed", { at: "settle", reason: reasonOf(error) });
        if (run.ending === "stopping") return;
        await clock.sleep(diskRetryMs);
      }
    }
  }

  #news(): void {
    this.#hasNews = true;
    this.#wake();
  }

  async #nextNews(): Promise<void> {
    if (!this.#hasNews) {
      const quiet = new AbortController();
      const news = new Promise<void>((resolve) => (this.#wake = resolve));
      const pause = this.#options.clock.sleep(lookMs, quiet.signal).catch(() => {});
      await Promise.race([news, pause]);
      quiet.abort();
    }
    this.#hasNews = false;
  }
}
