import type { ChatMessage, ChatMessagesOptions } from "./chat-messages.ts";
import type { HistoryMessage, MessageName, NewMessage } from "./history.ts";

/**
 * What the bot remembers of its conversations. A conversation's name is any text that does not change, such as a person's or a
 * group's id; it is not stored. Every call may throw an `AppError` that says why the store cannot be used now; whether
 * a change was made is not known then, and it may be asked for again.
 */
export interface ConversationStore extends Disposable {
  /** Whether it was kept: a message that is known already is not kept again, one to be viewed once is not kept at all. */
  append(conversation: string, message: NewMessage): Promise<boolean>;
  /** Keeps a question and its answer at the end, once, however often this is asked for. */
  keepExchange(conversation: string, question: Omit<NewMessage, "role">, answer: string): Promise<void>;
  /** What a model is asked with. */
  messages(conversation: string, options: ChatMessagesOptions): Promise<ChatMessage[]>;
  /** What was asked last. */
  lastQuestion(conversation: string): Promise<HistoryMessage | undefined>;
  count(conversation: string): Promise<number>;
  /** Drops all but the newest `keep`; how many went. */
  trim(conversation: string, keep: number): Promise<number>;
  /** How many went. */
  clear(conversation: string): Promise<number>;
  /** Whether there was such a message to change. */
  edit(conversation: string, name: MessageName, change: { content: string; editedAt: number }): Promise<boolean>;
  /** Whether there was such a message. */
  delete(conversation: string, name: MessageName): Promise<boolean>;
  /** Drops a question together with its answer; whether there was either. */
  deleteExchange(conversation: string, question: Omit<MessageName, "role">): Promise<boolean>;
  /** Drops what a person said and was answered, in every conversation; how many messages went. */
  forget(person: string): Promise<number>;
}
