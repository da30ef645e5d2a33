/** What a person can do with a telephone: each thing is shown in the conversation at once and goes to the bot by way of Signal. */
import { AppError } from "../../../../shared/errors.ts";
import { botName } from "../signal/account.ts";
import type { Group, Person } from "../signal/directory.ts";
import { dataMessageOf, reactionOf, receiptOf, wordlessMessageOf } from "../signal/envelopes.ts";
import { conversationOfGroup } from "../signal/phones.ts";
import {
  decideDelete,
  decideEdit,
  decideReaction,
  newestVersion,
  plainMessage,
  type Change,
  type Mention,
  type SeenAttachment,
  type SeenMessage,
} from "../signal/seen-message.ts";
import type { World } from "../signal/world.ts";

export interface NewText {
  readonly text: string;
  /** Timestamp of the message that this one answers. */
  readonly quote?: number | undefined;
  readonly attachments?: readonly SeenAttachment[];
  readonly sticker?: string | undefined;
  readonly viewOnce?: boolean | undefined;
}

/** What telephones put where somebody is mentioned. */
const mentionMark = "￼";
/** In a group this is read as the mention that a telephone makes of it. */
const writtenMention = `@${botName}`;

export class Phone {
  readonly #world: World;
  readonly #person: Person;
  readonly #group: Group | undefined;

  /** In a group the person becomes a member, if he is none yet. */
  constructor(world: World, person: string, group: string | undefined) {
    this.#world = world;
    this.#person = world.directory.person(person);
    this.#group = group === undefined ? undefined : world.directory.group(group, [person]);
  }

  get conversation(): string {
    return this.#group ? conversationOfGroup(this.#group.name) : this.#person.name;
  }

  /** The timestamp of the message, as of all that follows. */
  write({ text: written, quote, attachments = [], sticker, viewOnce = false }: NewText): number {
    if (written === "" && attachments.length === 0 && sticker === undefined)
      throw new AppError("bad-request", "A message has a text, an attachment or a sticker.");
    const { phones, timestamps } = this.#world;
    const timestamp = timestamps.next();
    const { text, mentions } = this.#group ? readMentions(written) : { text: written, mentions: [] };
    const quoted = quote === undefined ? undefined : this.#find(quote);
    const message: SeenMessage = {
      ...plainMessage,
      conversation: this.conversation,
      from: this.#person.name,
      timestamp,
      text,
      mentions,
      quote: quoted ? { timestamp: newestVersion(quoted), author: quoted.from, text: quoted.text } : null,
      attachments,
      sticker: sticker ?? null,
      viewOnce,
      expiresInSeconds: phones.timer(this.conversation),
    };
    phones.show(message);
    this.#mail(timestamp, { dataMessage: this.#dataMessage(message, timestamp) }, message);
    return timestamp;
  }

  edit(target: number, written: string): number {
    const { timestamps } = this.#world;
    const timestamp = timestamps.next();
    const { text, mentions } = this.#group ? readMentions(written) : { text: written, mentions: [] };
    const newest = newestVersion(this.#find(target));
    const edit = { from: this.#person.name, text, styles: [], mentions, target: newest, timestamp };
    const message = this.#change(target, (shown) => decideEdit(shown, edit));
    const dataMessage = this.#dataMessage(message, timestamp);
    this.#mail(timestamp, { editMessage: { targetSentTimestamp: newest, dataMessage } });
    return timestamp;
  }

  delete(target: number): number {
    const message = this.#change(target, (shown) => decideDelete(shown, this.#person.name));
    return this.#mailWordless({ remoteDelete: { timestamp: message.timestamp } });
  }

  react(target: number, emoji: string, remove: boolean): number {
    const reaction = { from: this.#person.name, emoji };
    const message = this.#change(target, (shown) => decideReaction(shown, reaction, remove));
    const { from } = message;
    const accountOf = this.#accountOf;
    return this.#mailWordless({ reaction: reactionOf(emoji, from, newestVersion(message), remove, accountOf) });
  }

  setTimer(seconds: number): number {
    this.#world.phones.setTimer(this.conversation, seconds);
    return this.#mailWordless({ expiresInSeconds: seconds, isExpirationUpdate: true });
  }

  type(typing: boolean): void {
    const timestamp = this.#world.timestamps.next();
    const group = this.#group && { groupId: this.#group.id };
    this.#mail(timestamp, { typingMessage: { action: typing ? "STARTED" : "STOPPED", timestamp, ...group } });
  }

  /** All that the bot has written and was not read yet. */
  read(): void {
    const { phones, timestamps } = this.#world;
    const unread = phones.list(this.conversation).filter(({ from, read }) => from === botName && !read);
    if (unread.length === 0) return;
    for (const message of unread) phones.show({ ...message, read: true });
    const timestamp = timestamps.next();
    this.#mail(timestamp, { receiptMessage: receiptOf("read", timestamp, unread.map(newestVersion)) });
  }

  #find(timestamp: number): SeenMessage {
    const message = this.#world.phones.find(this.conversation, timestamp);
    if (!message) throw new AppError("not-found", `There is no message ${timestamp} in this conversation.`);
    return message;
  }

  /** A telephone does not offer what cannot be done. */
  #change(target: number, decide: (message: SeenMessage) => Change): SeenMessage {
    const change = decide(this.#find(target));
    if ("refusal" in change) throw new AppError("bad-request", `Telephones refuse ${change.refusal}.`);
    this.#world.phones.show(change.message);
    return change.message;
  }

  #dataMessage(message: SeenMessage, timestamp: number): object {
    return dataMessageOf({ ...message, text: message.text || null, timestamp, group: this.#group }, this.#accountOf);
  }

  #mailWordless(fields: object): number {
    const timestamp = this.#world.timestamps.next();
    this.#mail(timestamp, { dataMessage: wordlessMessageOf(timestamp, this.#group, fields) });
    return timestamp;
  }

  #mail(timestamp: number, body: Record<string, object>, message?: SeenMessage): void {
    this.#world.mail(this.#person, timestamp, body, message);
  }

  readonly #accountOf = (name: string) => this.#world.accountOf(name);
}

function readMentions(written: string): { text: string; mentions: Mention[] } {
  const parts = written.split(writtenMention);
  const mentions: Mention[] = [];
  let text = parts[0] ?? "";
  for (const part of parts.slice(1)) {
    mentions.push({ start: text.length, length: mentionMark.length, name: botName });
    text += mentionMark + part;
  }
  return { text, mentions };
}
