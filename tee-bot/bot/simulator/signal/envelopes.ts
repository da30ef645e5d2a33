/** Envelopes as signal-cli writes them (src/main/java/org/asamk/signal/json), from people to the bot. */
import type { Account } from "./account.ts";
import type { Group, Person } from "./directory.ts";
import type { Mention, Quote, SeenAttachment } from "./seen-message.ts";

/** One of the messages that an envelope can hold, by the name of its field; none where it says nothing. */
export type EnvelopeBody = Readonly<Record<string, object>>;

export interface Envelope extends Record<string, unknown> {
  readonly source: string;
  readonly timestamp: number;
  readonly serverReceivedTimestamp: number;
}

export interface EnvelopeText {
  readonly timestamp: number;
  readonly text: string | null;
  readonly group?: Group | undefined;
  readonly expiresInSeconds: number;
  readonly viewOnce?: boolean;
  readonly quote?: Quote | null;
  readonly mentions?: readonly Mention[];
  readonly attachments?: readonly SeenAttachment[];
  readonly sticker?: string | null;
}

/** Whom a name of a conversation means. */
export type AccountOf = (name: string) => Account & { readonly hidesNumber?: boolean };

export function envelopeOf(person: Person, timestamp: number, receivedAt: number, body: EnvelopeBody): Envelope {
  return {
    source: person.hidesNumber ? person.uuid : person.number,
    sourceNumber: person.hidesNumber ? null : person.number,
    sourceUuid: person.uuid,
    sourceName: person.name,
    sourceDevice: 1,
    timestamp,
    serverReceivedTimestamp: receivedAt,
    ...body,
  };
}

export function dataMessageOf(text: EnvelopeText, accountOf: AccountOf): object {
  const { quote, mentions = [], attachments = [], sticker, group } = text;
  return {
    timestamp: text.timestamp,
    message: text.text,
    expiresInSeconds: text.expiresInSeconds,
    isExpirationUpdate: false,
    viewOnce: text.viewOnce ?? false,
    ...(quote && { quote: quoteOf(quote, accountOf) }),
    ...(mentions.length > 0 && { mentions: mentions.map((mention) => mentionOf(mention, accountOf)) }),
    ...(attachments.length > 0 && { attachments: attachments.map(attachmentOf(text.timestamp)) }),
    ...(sticker && { sticker: stickerOf(sticker) }),
    ...groupInfoOf(group),
  };
}

/** A data message that has no text: a reaction, a deletion, a new timer. */
export function wordlessMessageOf(timestamp: number, group: Group | undefined, fields: object): object {
  return {
    timestamp,
    message: null,
    expiresInSeconds: 0,
    isExpirationUpdate: false,
    viewOnce: false,
    ...fields,
    ...groupInfoOf(group),
  };
}

export function reactionOf(emoji: string, author: string, target: number, isRemove: boolean, accountOf: AccountOf) {
  const { address, number, uuid } = namesOf(accountOf(author));
  return {
    emoji,
    targetAuthor: address,
    targetAuthorNumber: number,
    targetAuthorUuid: uuid,
    targetSentTimestamp: target,
    isRemove,
  };
}

export function receiptOf(kind: "delivery" | "read", when: number, timestamps: readonly number[]): object {
  return { when, isDelivery: kind === "delivery", isRead: kind === "read", isViewed: false, timestamps };
}

function quoteOf({ timestamp, author, text }: Quote, accountOf: AccountOf): object {
  const { address, number, uuid } = namesOf(accountOf(author));
  return { id: timestamp, author: address, authorNumber: number, authorUuid: uuid, text, attachments: [] };
}

function mentionOf({ start, length, name }: Mention, accountOf: AccountOf): object {
  const { address, number, uuid } = namesOf(accountOf(name));
  return { name: address, number, uuid, start, length };
}

/** As what is downloaded is listed; sizes of pictures are not looked up. */
function attachmentOf(uploadTimestamp: number) {
  return ({ contentType, filename, id, size }: SeenAttachment): object => ({
    contentType,
    filename,
    id,
    size,
    width: null,
    height: null,
    caption: null,
    uploadTimestamp,
  });
}

function stickerOf(sticker: string): object {
  const [packId = "", stickerId = "0"] = sticker.split(":");
  return { packId, stickerId: Number(stickerId) };
}

function groupInfoOf(group: Group | undefined): object {
  if (!group) return {};
  return { groupInfo: { groupId: group.id, groupName: group.name, revision: group.revision, type: "DELIVER" } };
}

function namesOf({ number, uuid, hidesNumber = false }: ReturnType<AccountOf>) {
  return { address: hidesNumber ? uuid : number, number: hidesNumber ? null : number, uuid };
}
