/**
 * Conversations in a store that is not trusted: each is one sealed value. Whoever has the store can neither read nor change
 * one, nor put it in another's place; an older state that is put back is noticed as far as `Epochs` remembers. What
 * it can do is lose them.
 */
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { Epochs } from "../../store/epochs.ts";
import type { Seal } from "../../store/seal.ts";
import { TurnByName } from "../../store/turn-by-name.ts";
import type { KeptValue, ValueStore } from "../../store/value-store.ts";
import { chatMessagesOf, type ChatMessage, type ChatMessagesOptions } from "./chat-messages.ts";
import type { ConversationStore, Refusal } from "./conversation-store.ts";
import { encodeHistory, parseHistory } from "./history-record.ts";
import {
  appendExchange,
  appendMessage,
  appendQuestion,
  deleteExchange,
  deleteMessage,
  editMessage,
  emptyHistory,
  forgetPerson,
  keepNewest,
  maxMessageBytes,
  trimHistory,
  type History,
  type HistoryLimits,
  type HistoryMessage,
  type MessageName,
  type NewMessage,
} from "./history.ts";

export interface SealedConversationsOptions {
  values: ValueStore;
  seal: Seal;
  epochs: Epochs;
  limits: HistoryLimits;
  clock: Clock;
  log: Log;
  /** So that the person can be told too; the conversation is unknown where all are gone through. */
  onRefused?: (refusal: Refusal, conversation: string | undefined) => void;
}

/** Others change the same conversation in between at most so often. */
const maxAttempts = 60;
const longestPauseMs = 40;
/** How much of a tag stands in a log line: its beginning, which all have, and enough to tell conversations apart. */
const loggedTagLength = 17;

/** Where a conversation is kept, and its name where that is known. */
interface Place {
  readonly tag: string;
  readonly conversation?: string;
}

/** A history as it was found, with what it takes to replace it. */
interface Found {
  readonly history: History;
  readonly value: Uint8Array | undefined;
  readonly epoch: number;
  readonly expiresAt: number;
}

interface Changed {
  readonly before: History;
  readonly after: History;
}

export class SealedConversations implements ConversationStore {
  readonly #options: SealedConversationsOptions;
  readonly #turns = new TurnByName();

  constructor(options: SealedConversationsOptions) {
    this.#options = options;
  }

  async append(conversation: string, message: NewMessage): Promise<boolean> {
    refuseLong(message.content);
    const { limits, clock } = this.#options;
    const append = (history: History): History => appendMessage(history, message, limits, clock.now());
    return isChanged(await this.#change(this.#placeOf(conversation), append));
  }

  async keepExchange(conversation: string, question: Omit<NewMessage, "role">, answer: string): Promise<void> {
    refuseLong(question.content);
    refuseLong(answer);
    const { limits, clock } = this.#options;
    await this.#change(this.#placeOf(conversation), (history) =>
      appendExchange(history, question, answer, limits, clock.now()),
    );
  }

  async messages(conversation: string, { question, ...options }: ChatMessagesOptions): Promise<ChatMessage[]> {
    const { limits, clock } = this.#options;
    const history = await this.#history(conversation);
    return chatMessagesOf(question ? appendQuestion(history, question, limits, clock.now()) : history, options);
  }

  async lastQuestion(conversation: string): Promise<HistoryMessage | undefined> {
    return (await this.#history(conversation)).messages.findLast(({ role }) => role === "user");
  }

  async count(conversation: string): Promise<number> {
    return (await this.#history(conversation)).messages.length;
  }

  async trim(conversation: string, keep: number): Promise<number> {
    return countDropped(await this.#change(this.#placeOf(conversation), (history) => keepNewest(history, keep)));
  }

  async clear(conversation: string): Promise<number> {
    return this.trim(conversation, 0);
  }

  async edit(conversation: string, name: MessageName, edit: { content: string; editedAt: number }): Promise<boolean> {
    refuseLong(edit.content);
    return isChanged(await this.#change(this.#placeOf(conversation), (history) => editMessage(history, name, edit)));
  }

  async delete(conversation: string, name: MessageName): Promise<boolean> {
    return isChanged(await this.#change(this.#placeOf(conversation), (history) => deleteMessage(history, name)));
  }

  async deleteExchange(conversation: string, question: Omit<MessageName, "role">): Promise<boolean> {
    return isChanged(await this.#change(this.#placeOf(conversation), (history) => deleteExchange(history, question)));
  }

  /** Opens every conversation, since the store cannot tell whose they are. */
  async forget(person: string): Promise<number> {
    const { values, seal } = this.#options;
    let dropped = 0;
    for await (const tag of values.tags(seal.tagBeginning))
      dropped += countDropped(await this.#change({ tag }, (history) => forgetPerson(history, person)));
    return dropped;
  }

  [Symbol.dispose](): void {
    this.#options.values[Symbol.dispose]();
    this.#options.epochs[Symbol.dispose]();
  }

  #placeOf(conversation: string): Place {
    return { tag: this.#options.seal.tagOf(conversation), conversation };
  }

  /** What has expired is taken out of the store as soon as anybody looks. */
  async #history(conversation: string): Promise<History> {
    return (await this.#change(this.#placeOf(conversation), (history) => history)).after;
  }

  /** One change at a time here; when another process comes in between, it is made again on what that has left. */
  #change(place: Place, change: (history: History) => History): Promise<Changed> {
    const { values, epochs, limits, clock } = this.#options;
    return this.#turns.run(place.tag, async () => {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const found = await this.#read(place);
        const before = trimHistory(found.history, limits, clock.now());
        const after = change(before);
        if (after === found.history) return { before, after };
        const epoch = Math.max(found.epoch + 1, clock.now()); // grows also where nothing is known of earlier ones
        const kept = this.#sealHistory(place.tag, after, epoch);
        if (await values.replace(place.tag, found.value, kept)) {
          const until = Math.max(kept?.dropAt ?? 0, found.expiresAt);
          epochs.saw(place.tag, { epoch, until }, clock.now());
          return { before, after };
        }
        await clock.sleep(Math.random() * longestPauseMs);
      }
      throw new AppError("overloaded", "This conversation is being changed elsewhere all the time. Try again.");
    });
  }

  #sealHistory(tag: string, history: History, epoch: number): KeptValue | undefined {
    if (history.messages.length === 0) return undefined;
    const expiresAt = Math.max(...history.messages.map((one) => one.expiresAt));
    const content = encodeHistory(history);
    return { bytes: this.#options.seal.seal(tag, { epoch, expiresAt, content }), dropAt: expiresAt };
  }

  async #read(place: Place): Promise<Found> {
    const { values, seal, epochs, clock } = this.#options;
    const newestEpoch = epochs.newest(place.tag); // before the value, which another process may renew at any time
    const value = await values.read(place.tag);
    const nothing = { history: emptyHistory, expiresAt: 0 };
    if (!value) return { ...nothing, value, epoch: newestEpoch };
    const opened = seal.open(place.tag, value, { newestEpoch, now: clock.now() });
    if (opened.state === "open") {
      const { epoch, expiresAt, content } = opened;
      if (epoch > newestEpoch) epochs.saw(place.tag, { epoch, until: expiresAt }, clock.now());
      return { history: parseHistory(content), value, epoch, expiresAt };
    }
    await values.replace(place.tag, value, undefined); // so that it is told once
    if (opened.state !== "expired") this.#tell(place, opened.state);
    return { ...nothing, value: undefined, epoch: newestEpoch };
  }

  #tell({ tag, conversation }: Place, refusal: Refusal): void {
    const { log, onRefused } = this.#options;
    log.error("conversation.refused", { conversation: tag.slice(0, loggedTagLength), reason: refusal });
    onRefused?.(refusal, conversation);
  }
}

const isChanged = ({ before, after }: Changed): boolean => before !== after;
const countDropped = ({ before, after }: Changed): number => before.messages.length - after.messages.length;

function refuseLong(content: string): void {
  const bytes = Buffer.byteLength(content);
  if (bytes > maxMessageBytes)
    throw new AppError("too-large", `A message of ${bytes} bytes is not kept; ${maxMessageBytes} are the most.`);
}
