/** What comes of each event, and of each failure to answer one. */
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { createRequestId } from "../../gateway/tracking/request-id.ts";
import { chatName, type BotEvent, type MessageEvent } from "../events/event.ts";
import type { Mailbox, Reply } from "../mail/mailbox.ts";
import type { Run } from "../work/runs.ts";
import { decideSetback } from "../work/setback.ts";
import type { SettledFailure } from "../work/worker.ts";
import type { AnswerMessage } from "./answer-message.ts";
import type { Changes } from "./changes.ts";
import { repliesTo } from "./replies.ts";
import { sentences, withId } from "./sentences.ts";

export interface AnswererOptions {
  readonly answerMessage: AnswerMessage;
  readonly changes: Changes;
  readonly mailbox: Pick<Mailbox, "say">;
  /** Told of everything that is worked on. */
  readonly onEvent: (event: BotEvent) => void;
  readonly storeAwayMs: () => number;
  readonly maxAttempts: number;
  readonly maxUnits: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whoever waits for longer than this since the store went away is told, once. */
export const tellStoreAwayMs = 60_000;
/** Enough of an id to find a line of the log by it. */
const shownIdLength = 8;

export class Answerer {
  readonly #options: AnswererOptions;
  /** Chats that know that the store is away. */
  readonly #told = new Set<string>();

  constructor(options: AnswererOptions) {
    this.#options = options;
  }

  async work(run: Run): Promise<readonly Reply[]> {
    const { answerMessage, changes, onEvent } = this.#options;
    const { event } = run.mail;
    onEvent(event);
    switch (event.kind) {
      case "message":
        return answerMessage.answer(run, event);
      case "edit":
        await changes.edit(event);
        return [];
      case "deletion":
        await changes.delete(event);
        return [];
      case "reaction":
      case "receipt":
        return [];
    }
  }

  onFailure({ mail, ending }: Run, error: unknown): SettledFailure {
    const { maxAttempts, storeAwayMs, log } = this.#options;
    const { event, attempts } = mail;
    const setback = decideSetback(error, { ending, attempts, maxAttempts, storeAwayMs: storeAwayMs() });
    if (setback.kind === "drop") return { kind: "answer", replies: [] };
    if (setback.kind === "postpone") {
      if (event.kind === "message" && !setback.isCounted && ending === undefined) this.#tellStoreAway(event);
      return setback;
    }
    const id = shownId(setback.requestId ?? createRequestId(this.#options.clock.now()));
    log.warn("mail.failed", { kind: event.kind, reason: setback.reason, id, attempts: attempts + 1 });
    const replies = event.kind === "message" ? this.#say(event, withId(setback.sentence, id)) : [];
    return { kind: "answer", replies };
  }

  #tellStoreAway(event: MessageEvent): void {
    const { storeAwayMs, mailbox } = this.#options;
    const awayMs = storeAwayMs();
    if (awayMs < tellStoreAwayMs) return this.#told.clear();
    const name = chatName(event.chat);
    if (event.chat.kind !== "direct" || this.#told.has(name)) return;
    this.#told.add(name);
    for (const reply of this.#say(event, sentences.storeAway)) mailbox.say(reply);
  }

  #say(event: MessageEvent, text: string): Reply[] {
    return repliesTo(event, { text }, this.#options);
  }
}

/** The end of an id: its beginning is the time. */
function shownId(requestId: string): string {
  return requestId.slice(-shownIdLength);
}
