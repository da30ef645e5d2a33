/** What people see: conversations with the bot, on all telephones that are in them. */
import type { Clock } from "../../../../shared/clock.ts";
import type { StateFile, Table } from "../state-file.ts";
import { hasExpired, newestVersion, type Change, type SeenMessage } from "./seen-message.ts";
import { isTyping, startTyping, stopTyping, typingDecayMs, type TypingSpan } from "./typing.ts";

/** What has become different in a conversation: a message that is new or was changed, or whether the bot types. */
export interface PhoneEvent {
  readonly conversation: string;
  readonly message?: SeenMessage;
}

/** What the bot has sent and no telephone shows; the bot is not told. */
export interface Refused {
  readonly conversation: string;
  readonly timestamp: number;
  readonly why: string;
}

const maxMessages = 20_000;
const maxRefused = 1_000;
const groupPrefix = "group:";

export const conversationOfGroup = (group: string): string => `${groupPrefix}${group}`;
export class Phones implements Disposable {
  readonly #messages: Table<SeenMessage>;
  readonly #timers: Table<number>;
  readonly #clock: Clock;
  /** Names of a conversation's messages, oldest first. */
  readonly #conversations = new Map<string, string[]>();
  readonly #typing = new Map<string, readonly TypingSpan[]>();
  readonly #watchers = new Set<(event: PhoneEvent) => void>();
  readonly #closing = new AbortController();
  readonly #refused: Refused[] = [];

  constructor(state: StateFile, clock: Clock) {
    this.#messages = state.table("message");
    this.#timers = state.table("timer");
    this.#clock = clock;
    const messages = [...this.#messages.values].toSorted(([, one], [, other]) => one.timestamp - other.timestamp);
    for (const [name, { conversation }] of messages) this.#namesOf(conversation).push(name);
  }

  get refused(): readonly Refused[] {
    return this.#refused;
  }

  /** The greatest there is; 0 without messages. */
  get lastTimestamp(): number {
    return [...this.#messages.values.values()].reduce((last, message) => Math.max(last, newestVersion(message)), 0);
  }

  /** Oldest first, without what has expired. */
  list(conversation: string): SeenMessage[] {
    const now = this.#clock.now();
    return this.#namesOf(conversation)
      .map((name) => this.#messages.values.get(name)!)
      .filter((message) => !hasExpired(message, now));
  }

  /** By the timestamp of any version. */
  find(conversation: string, timestamp: number): SeenMessage | undefined {
    const named = this.#messages.values.get(nameOf(conversation, timestamp));
    if (named) return named;
    return this.list(conversation).findLast(({ edits }) => edits.includes(timestamp));
  }

  show(message: SeenMessage): void {
    const names = this.#namesOf(message.conversation);
    const name = nameOf(message.conversation, message.timestamp);
    if (!this.#messages.values.has(name)) names.push(name);
    this.#messages.put(name, message);
    const oldest = names.length > maxMessages ? names.shift() : undefined;
    if (oldest !== undefined) this.#messages.delete(oldest);
    this.#tell({ conversation: message.conversation, message });
  }

  /** Whether it was changed. What is refused is kept as such. */
  change(conversation: string, target: number, decide: (message: SeenMessage) => Change): boolean {
    const message = this.find(conversation, target);
    const change = message ? decide(message) : { refusal: "something about a message that is not there" };
    if ("refusal" in change) {
      this.#refused.push({ conversation, timestamp: target, why: change.refusal });
      if (this.#refused.length > maxRefused) this.#refused.shift();
      return false;
    }
    this.show(change.message);
    return true;
  }

  /** Of the bot, in one conversation. */
  setTyping(conversation: string, typing: boolean): void {
    const spans = this.typingSpans(conversation);
    const now = this.#clock.now();
    const was = isTyping(spans, now);
    this.#typing.set(conversation, typing ? startTyping(spans, now) : stopTyping(spans, now));
    if (was !== typing) this.#tell({ conversation });
    if (typing) void this.#tellDecay(conversation);
  }

  isTyping(conversation: string): boolean {
    return isTyping(this.typingSpans(conversation), this.#clock.now());
  }

  typingSpans(conversation: string): readonly TypingSpan[] {
    return this.#typing.get(conversation) ?? [];
  }

  /** Seconds after which messages disappear; 0: never. */
  timer(conversation: string): number {
    return this.#timers.values.get(conversation) ?? 0;
  }

  setTimer(conversation: string, seconds: number): void {
    this.#timers.put(conversation, seconds);
    this.#tell({ conversation });
  }

  watch(watcher: (event: PhoneEvent) => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
    this.#watchers.clear();
  }

  async #tellDecay(conversation: string): Promise<void> {
    await this.#clock.sleep(typingDecayMs, this.#closing.signal).catch(() => {});
    if (!this.#closing.signal.aborted && !this.isTyping(conversation)) this.#tell({ conversation });
  }

  #tell(event: PhoneEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  #namesOf(conversation: string): string[] {
    const names = this.#conversations.get(conversation) ?? [];
    this.#conversations.set(conversation, names);
    return names;
  }
}

function nameOf(conversation: string, timestamp: number): string {
  return `${timestamp} ${conversation}`;
}
