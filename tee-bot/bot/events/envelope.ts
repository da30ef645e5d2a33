/**
 * What signal-cli writes of a message, as far as the bot reads it: src/main/java/org/asamk/signal/json of v0.14.6. Fields
 * that are not listed may be there, those that are may be missing or null; one of another type is a mistake.
 */
import { z } from "zod";

/** Signal's clients write at most 64 KiB; who writes more by another is told so. */
const maxTextLength = 512 * 1024;
const maxListed = 1_000;

const text = z.string().max(maxTextLength).nullish();
const time = z.int().nonnegative();
const flag = z.boolean().nullish();
const address = z.string().max(256).nullish();

const mention = z.object({ number: address, uuid: address, start: z.int(), length: z.int() });

const attachment = z.object({
  /** None while it could not be downloaded. */
  id: z.string().max(256).nullish(),
  contentType: z.string().max(256).nullish(),
  filename: text,
  size: z.number().nullish(),
});

const quote = z.object({ id: time, author: address, authorNumber: address, authorUuid: address, text });

const reaction = z.object({
  emoji: z.string().max(64),
  targetAuthor: address,
  targetAuthorNumber: address,
  targetAuthorUuid: address,
  targetSentTimestamp: time,
  isRemove: flag,
});

const groupInfo = z.object({ groupId: z.base64().min(1).max(64), type: z.string().nullish() });

const dataMessage = z.object({
  timestamp: time.nullish(),
  message: text,
  expiresInSeconds: z.int().nonnegative().nullish(),
  isExpirationUpdate: flag,
  viewOnce: flag,
  reaction: reaction.nullish(),
  quote: quote.nullish(),
  mentions: z.array(mention).max(maxListed).nullish(),
  attachments: z.array(attachment).max(maxListed).nullish(),
  sticker: z.object({}).nullish(),
  remoteDelete: z.object({ timestamp: time }).nullish(),
  groupInfo: groupInfo.nullish(),
  storyContext: z.object({}).nullish(),
});

const envelope = z.object({
  source: address,
  sourceNumber: address,
  sourceUuid: address,
  sourceName: text,
  timestamp: time.nullish(),
  dataMessage: dataMessage.nullish(),
  editMessage: z.object({ targetSentTimestamp: time, dataMessage }).nullish(),
  receiptMessage: z
    .object({ isDelivery: flag, isRead: flag, isViewed: flag, timestamps: z.array(time).max(maxListed).nullish() })
    .nullish(),
  typingMessage: z.object({}).nullish(),
  syncMessage: z.object({}).nullish(),
  storyMessage: z.object({}).nullish(),
  callMessage: z.object({}).nullish(),
});

const received = z.object({
  envelope: envelope.nullish(),
  account: address,
  exception: z.object({}).nullish(),
});

export type Received = z.infer<typeof received>;
export type Envelope = z.infer<typeof envelope>;
export type DataMessage = z.infer<typeof dataMessage>;
export type RawQuote = z.infer<typeof quote>;
export type RawMention = z.infer<typeof mention>;

const subscribed = z.object({ result: received });

/** With `--receive-mode=manual` what is received stands in the result of a subscription. Undefined: it is something else. */
export function parseReceived(params: unknown): Received | undefined {
  const plain = received.safeParse(subscribed.safeParse(params).data?.result ?? params);
  return plain.data;
}

const call = z.object({ method: z.literal("receive"), params: z.unknown() });

/** The `params` of a JSON-RPC notification, which is what a webhook has. Undefined: it is something else. */
export function parseNotification(json: unknown): unknown {
  return call.safeParse(json).data?.params;
}
