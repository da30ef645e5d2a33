/** What the bot does at Signal beside replies, by the REST server; all of it may fail without harm. */
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { Attachment, Chat } from "../events/event.ts";
import type { Messenger } from "./messenger.ts";
import type { SendCounts } from "./send-counts.ts";
import type { SignalApi } from "./signal-api.ts";
import { SignalFailure } from "./signal-failure.ts";
import { Typing } from "./typing.ts";

export interface SignalMessengerOptions {
  api: Pick<SignalApi, "typing" | "markRead" | "attachment" | "deleteAttachment">;
  /** While messages cannot be sent. */
  isPaused: () => boolean;
  showsTyping: boolean;
  marksRead: boolean;
  counts: SendCounts;
  clock: Clock;
  log: Log;
}

/** Nobody looks for it later. */
const readStaleMs = 60_000;
/** Between attempts to remove a file. */
const discardPausesMs = [1_000, 5_000, 30_000, 120_000, 600_000];
const maxDiscards = 1_000;

export class SignalMessenger implements Messenger, Disposable {
  readonly #options: SignalMessengerOptions;
  readonly #typing: Typing;
  readonly #end = new AbortController();
  #discards = 0;

  constructor(options: SignalMessengerOptions) {
    this.#options = options;
    this.#typing = new Typing(options);
  }

  typing(account: string, chat: Chat): Disposable {
    if (this.#options.showsTyping && !this.#end.signal.aborted) return this.#typing.show(account, chat);
    return { [Symbol.dispose]: () => {} };
  }

  markRead(account: string, person: string, timestamp: number): void {
    const { api, clock, counts, marksRead, isPaused } = this.#options;
    if (!marksRead || isPaused()) return;
    const staleAt = clock.now() + readStaleMs;
    api.markRead(account, person, timestamp, { isStale: () => clock.now() >= staleAt }).then(
      () => counts.readSent++,
      () => counts.readFailed++,
    );
  }

  async download({ id, size }: Attachment, maxBytes: number): Promise<Uint8Array> {
    const tooLarge = `A file of at most ${maxBytes} bytes is taken.`;
    if (size > maxBytes) throw new AppError("too-large", tooLarge);
    try {
      const bytes = await this.#options.api.attachment(id, maxBytes, { signal: this.#end.signal });
      this.#options.counts.downloads++;
      return bytes;
    } catch (error) {
      if (error instanceof SignalFailure && error.kind === "too-large") throw new AppError("too-large", tooLarge);
      throw error;
    }
  }

  discard({ id }: Attachment): void {
    const { counts, log } = this.#options;
    const fail = (): void => {
      counts.discardsFailed++;
      log.warn("attachment.kept", { why: "The Signal REST server did not remove it. Empty its attachments folder." });
    };
    if (this.#discards >= maxDiscards) return fail();
    this.#discards++;
    void this.#discard(id)
      .then((isDone) => (isDone ? counts.discards++ : fail()))
      .finally(() => this.#discards--);
  }

  /** Ends what repeats itself. */
  [Symbol.dispose](): void {
    this.#end.abort();
  }

  async #discard(id: string): Promise<boolean> {
    for (const pauseMs of [0, ...discardPausesMs]) {
      try {
        if (pauseMs > 0) await this.#options.clock.sleep(pauseMs, this.#end.signal);
        await this.#options.api.deleteAttachment(id);
        return true;
      } catch (error) {
        if (error instanceof SignalFailure && error.kind === "absent") return true;
        if (this.#end.signal.aborted) return false;
      }
    }
    return false;
  }
}
