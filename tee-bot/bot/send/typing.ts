/** Shows people that the bot is writing for as long as it is: their telephones forget it after 15 s. */
import type { Clock } from "../../../shared/clock.ts";
import { chatName, type Chat } from "../events/event.ts";
import { recipientOf } from "./recipients.ts";
import type { SendCounts } from "./send-counts.ts";
import type { SignalApi } from "./signal-api.ts";

export interface TypingOptions {
  api: Pick<SignalApi, "typing">;
  /** While messages cannot be sent, this cannot either. */
  isPaused: () => boolean;
  counts: SendCounts;
  clock: Clock;
}

const refreshMs = 8_000;
/** By then the next is due anyway. */
const staleMs = 4_000;
/** A telephone has forgotten it by then. */
const forgottenMs = 15_000;
/** The reply goes first, at which a telephone shows no typing any more: this is for where there is none. */
export const lingerMs = 250;
const maxFailures = 3;
const restMs = 60_000;
/** Chats that are shown to at once; more have to wait for their answer without a sign. */
const maxChats = 1_000;

interface Shown {
  holders: number;
  readonly end: AbortController;
}

export class Typing {
  readonly #options: TypingOptions;
  readonly #shown = new Map<string, Shown>();
  #failures = 0;
  #restsUntil = 0;

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  /** Until all who asked for the same chat have let go of it. */
  show(account: string, chat: Chat): Disposable {
    const name = nameOf(account, chat);
    const shown = this.#shown.get(name) ?? { holders: 0, end: new AbortController() };
    if (shown.holders === 0 && this.#shown.size < maxChats) {
      this.#shown.set(name, shown);
      void this.#refresh(account, chat, shown.end.signal);
    }
    shown.holders++;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        if (--shown.holders > 0) return;
        if (this.#shown.get(name) === shown) this.#shown.delete(name);
        shown.end.abort();
      },
    };
  }

  async #refresh(account: string, chat: Chat, end: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const recipient = recipientOf(chat);
    let lastShownAt: number | undefined;
    while (!end.aborted) {
      const askedAt = clock.now();
      const isStale = (): boolean => end.aborted || clock.now() - askedAt > staleMs;
      if (await this.#tell(account, recipient, true, isStale)) lastShownAt = askedAt;
      await clock.sleep(refreshMs, end).catch(() => {}); // it ended
    }
    if (lastShownAt === undefined) return;
    await clock.sleep(lingerMs);
    const forgottenAt = lastShownAt + forgottenMs;
    const isShownAnew = (): boolean => this.#shown.has(nameOf(account, chat));
    await this.#tell(account, recipient, false, () => clock.now() >= forgottenAt || isShownAnew());
  }

  /** Whether it was tried: what failed may have been seen. */
  async #tell(account: string, recipient: string, isOn: boolean, isStale: () => boolean): Promise<boolean> {
    const { api, isPaused, counts, clock } = this.#options;
    if (isPaused() || clock.now() < this.#restsUntil) return false;
    let isTried = false;
    try {
      await api.typing(account, recipient, isOn, { isStale, onTurn: () => void (isTried = true) });
      this.#failures = 0;
      counts.typingSent++;
    } catch {
      if (!isTried) return false;
      counts.typingFailed++;
      if (++this.#failures >= maxFailures) this.#restsUntil = clock.now() + restMs;
    }
    return isTried;
  }
}

function nameOf(account: string, chat: Chat): string {
  return `${account} ${chatName(chat)}`;
}
