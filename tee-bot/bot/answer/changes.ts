/** What people change and take back: in mail that waits, in work that is under way, and in what is remembered. */
import { maxMessageBytes } from "../conversations/history.ts";
import type { ConversationStore } from "../conversations/conversation-store.ts";
import { chatName, type DeletionEvent, type EditEvent } from "../events/event.ts";
import type { Mailbox } from "../mail/mailbox.ts";
import type { Runs } from "../work/runs.ts";
import type { AttachmentReader } from "./attachments.ts";
import type { LastQuestions } from "./last-questions.ts";
import { cutBytes } from "./question.ts";

export interface ChangesOptions {
  readonly mailbox: Pick<Mailbox, "withdraw" | "amend">;
  readonly conversations: Pick<ConversationStore, "edit" | "deleteExchange">;
  readonly attachments: Pick<AttachmentReader, "discard">;
  readonly runs: Runs;
  readonly lastQuestions: LastQuestions;
}

export class Changes {
  readonly #options: ChangesOptions;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  /** An edit is never answered: its message is, once. */
  async edit(event: EditEvent): Promise<void> {
    const { mailbox, attachments, conversations, runs, lastQuestions } = this.#options;
    const { account, person, target, timestamp, chat } = event;
    const message = { account, person, timestamp: target };
    if (mailbox.amend(message, event)) return; // its files are wanted with the message
    attachments.discard(event.attachments);
    await runs.finished(message); // its question is remembered as it was asked, and then changed
    lastQuestions.withdraw(chat, message);
    const change = { content: cutBytes(event.text.reveal(), maxMessageBytes), editedAt: timestamp };
    await conversations.edit(chatName(chat), { role: "user", person, timestamp: target }, change);
  }

  async delete({ account, person, target, chat }: DeletionEvent): Promise<void> {
    const { mailbox, conversations, runs, lastQuestions } = this.#options;
    const message = { account, person, timestamp: target };
    mailbox.withdraw(message);
    await runs.withdraw(message);
    lastQuestions.withdraw(chat, message);
    await conversations.deleteExchange(chatName(chat), { person, timestamp: target });
  }
}
