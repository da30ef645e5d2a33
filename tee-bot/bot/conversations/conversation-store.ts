import type { ChatMessage, ChatMessagesOptions } from "./chat-messages.ts";
import type { MessageName, NewMessage } from "./history.ts";

/**
 * What the bot remembers of its conversations. A conversation's name is any text that does not change, such as a person's or a
 * group's id; it is not stored. Every call may throw an `AppError` that says why the store cannot be used now; whether
 * a change was made is not known then, and it may be asked for again.
 */
export interface ConversationStore extends Disposable {
  /** Whether it was kept: a message that is known already is not kept again, one to be viewed once is not kept at all. */
  append(conversation: string, message: NewMessage): Promise<boolean>;
  /** What a model is asked with. */
  messages(conversation: string, options: ChatMessagesOptions): Promise<ChatMessage[]>;
  count(conversation: string): Promise<number>;
  /** Drops all but the newest `keep`; how many went. */
  trim(conversation: string, keep: number): Promise<number>;
  /** How many went. */
  clear(conversation: string): Promise<number>;
  /** Whether there was such a message to change. */
  edit(conversation: string, name: MessageName, change: { content: string; editedAt: number }): Promise<boolean>;
  /** Whether there was such a message. */
  delete(conversation: string, name: MessageName): Promise<boolean>;
  /** Drops what a person said and was answered, in every conversation; how many messages went. */
  forget(person: string): Promise<number>;
}
