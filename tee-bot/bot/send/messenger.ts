/** What the bot does at Signal beside replies: things that are not worth storing, and of which a failure hurts nobody. */
import type { Attachment, Chat } from "../events/event.ts";

export interface Messenger {
  /** Shows that the bot is writing, until it is disposed of. Never throws. */
  typing(account: string, chat: Chat): Disposable;
  /** Tells the sender that a message was read. Never throws. */
  markRead(account: string, person: string, timestamp: number): void;
  /** Throws `AppError` when it cannot be had, `too-large` beyond `maxBytes`. */
  download(attachment: Attachment, maxBytes: number): Promise<Uint8Array>;
  /** Removes the file from the REST server; tried again for a while. Never throws. */
  discard(attachment: Attachment): void;
}
