/** A message as the telephones of a conversation show it, and what may become of it there. Rules only. */

export interface SeenMessage {
  /** Name of a person, or of a group after `group:`. */
  readonly conversation: string;
  /** Name of a person, or `bot`. */
  readonly from: string;
  /** When it was first sent, which is also its name. */
  readonly timestamp: number;
  /** Of each edit, oldest first. */
  readonly edits: readonly number[];
  readonly text: string;
  /** `start:length:STYLE` in UTF-16 units. */
  readonly styles: readonly string[];
  readonly mentions: readonly Mention[];
  readonly quote: Quote | null;
  readonly attachments: readonly SeenAttachment[];
  readonly sticker: string | null;
  readonly reactions: readonly Reaction[];
  readonly viewOnce: boolean;
  /** 0: it stays. */
  readonly expiresInSeconds: number;
  readonly deleted: boolean;
  /** What the other side has told of it. */
  readonly delivered: boolean;
  readonly read: boolean;
  readonly viewed: boolean;
  /** Members of the group whom it did not reach. */
  readonly missedBy: readonly string[];
}

export interface Mention {
  readonly start: number;
  readonly length: number;
  readonly name: string;
}

export interface Quote {
  readonly timestamp: number;
  readonly author: string;
  readonly text: string | null;
}

export interface SeenAttachment {
  readonly id: string;
  readonly contentType: string;
  readonly filename: string | null;
  readonly size: number;
}

export interface Reaction {
  readonly from: string;
  readonly emoji: string;
}

/** A message as it was changed, or why telephones leave it as it was. */
export type Change = { readonly message: SeenMessage } | { readonly refusal: string };

/** Signal-Desktop MESSAGE_MAX_EDIT_COUNT, Signal-Android MAX_EDIT_COUNT. */
export const maxEdits = 10;
const maxEditAgeMs = 24 * 3_600_000;
/** Longer texts are cut when the attachment that has them is read. */
export const maxShownBytes = 64 * 1024;

export const plainMessage = {
  edits: [],
  text: "",
  styles: [],
  mentions: [],
  quote: null,
  attachments: [],
  sticker: null,
  reactions: [],
  viewOnce: false,
  expiresInSeconds: 0,
  deleted: false,
  delivered: false,
  read: false,
  viewed: false,
  missedBy: [],
} satisfies Partial<SeenMessage>;

/** Telephones look a message up by the timestamp of its newest version, and take no more than ten edits of a day. */
export function decideEdit(
  message: SeenMessage,
  edit: Pick<SeenMessage, "from" | "text" | "styles" | "mentions"> & { target: number; timestamp: number },
): Change {
  const newest = newestVersion(message);
  if (message.from !== edit.from) return { refusal: "an edit of somebody else's message" };
  if (message.deleted) return { refusal: "an edit of a deleted message" };
  if (edit.target !== newest) return { refusal: `an edit of version ${edit.target}; the newest is ${newest}` };
  if (message.edits.length >= maxEdits) return { refusal: `edit number ${maxEdits + 1}` };
  if (edit.timestamp - message.timestamp > maxEditAgeMs) return { refusal: "an edit after more than a day" };
  if (message.viewOnce) return { refusal: "an edit of a view-once message" };
  const { text, styles, mentions } = edit;
  return { message: { ...message, text, styles, mentions, edits: [...message.edits, edit.timestamp] } };
}

export function decideDelete(message: SeenMessage, from: string): Change {
  if (message.from !== from) return { refusal: "a deletion of somebody else's message" };
  return { message: { ...message, ...plainMessage, edits: message.edits, deleted: true } };
}

/** Each person has one reaction to a message; the newest counts. */
export function decideReaction(message: SeenMessage, { from, emoji }: Reaction, remove: boolean): Change {
  if (message.deleted) return { refusal: "a reaction to a deleted message" };
  const others = message.reactions.filter((reaction) => reaction.from !== from);
  return { message: { ...message, reactions: remove ? others : [...others, { from, emoji }] } };
}

export function newestVersion({ timestamp, edits }: SeenMessage): number {
  return edits.at(-1) ?? timestamp;
}

/** Counted from its sending here; a telephone counts from when it is read. */
export function hasExpired({ expiresInSeconds, timestamp }: SeenMessage, now: number): boolean {
  return expiresInSeconds > 0 && timestamp + expiresInSeconds * 1_000 <= now;
}

/** What a telephone shows of a text of any length. */
export function shownText(text: string): string {
  if (Buffer.byteLength(text) <= maxShownBytes) return text;
  return Buffer.from(text).subarray(0, maxShownBytes).toString().replace(/�$/u, "");
}
