/** Conversations, each a history that is sealed. */
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { Changed, SealedRecords } from "../../store/sealed-records.ts";
import { chatMessagesOf, type ChatMessage, type ChatMessagesOptions } from "./chat-messages.ts";
import type { ConversationStore } from "./conversation-store.ts";
import {
  appendExchange,
  appendMessage,
  appendQuestion,
  deleteExchange,
  deleteMessage,
  editMessage,
  forgetPerson,
  keepNewest,
  maxMessageBytes,
  type History,
  type HistoryLimits,
  type HistoryMessage,
  type MessageName,
  type NewMessage,
} from "./history.ts";

export interface SealedConversationsOptions {
  records: SealedRecords<History>;
  limits: HistoryLimits;
  clock: Clock;
}

export class SealedConversations implements ConversationStore {
  readonly #options: SealedConversationsOptions;

  constructor(options: SealedConversationsOptions) {
    this.#options = options;
  }

  async append(conversation: string, message: NewMessage): Promise<boolean> {
    refuseLong(message.content);
    const { limits, clock } = this.#options;
    return isChanged(
      await this.#change(conversation, (history) => appendMessage(history, message, limits, clock.now())),
    );
  }

  async keepExchange(conversation: string, question: Omit<NewMessage, "role">, answer: string): Promise<void> {
    refuseLong(question.content);
    refuseLong(answer);
    const { limits, clock } = this.#options;
    await this.#change(conversation, (history) => appendExchange(history, question, answer, limits, clock.now()));
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
    return countDropped(await this.#change(conversation, (history) => keepNewest(history, keep)));
  }

  async clear(conversation: string): Promise<number> {
    return this.trim(conversation, 0);
  }

  async edit(conversation: string, name: MessageName, edit: { content: string; editedAt: number }): Promise<boolean> {
    refuseLong(edit.content);
    return isChanged(await this.#change(conversation, (history) => editMessage(history, name, edit)));
  }

  async delete(conversation: string, name: MessageName): Promise<boolean> {
    return isChanged(await this.#change(conversation, (history) => deleteMessage(history, name)));
  }

  async deleteExchange(conversation: string, question: Omit<MessageName, "role">): Promise<boolean> {
    return isChanged(await this.#change(conversation, (history) => deleteExchange(history, question)));
  }

  async forget(person: string): Promise<number> {
    let dropped = 0;
    const changes = this.#options.records.changeAll((history) => forgetPerson(history, person));
    for await (const changed of changes) dropped += countDropped(changed);
    return dropped;
  }

  [Symbol.dispose](): void {
    this.#options.records[Symbol.dispose]();
  }

  #history(conversation: string): Promise<History> {
    return this.#options.records.read(conversation);
  }

  #change(conversation: string, change: (history: History) => History): Promise<Changed<History>> {
    return this.#options.records.change(conversation, change);
  }
}

const isChanged = ({ before, after }: Changed<History>): boolean => before !== after;
const countDropped = ({ before, after }: Changed<History>): number => before.messages.length - after.messages.length;

function refuseLong(content: string): void {
  const bytes = Buffer.byteLength(content);
  if (bytes > maxMessageBytes)
    throw new AppError("too-large", `A message of ${bytes} bytes is not kept; ${maxMessageBytes} are the most.`);
}
