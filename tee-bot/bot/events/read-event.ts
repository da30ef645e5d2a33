/** What an envelope of signal-cli is to the bot: rules only. Whatever is no event is ignored, for a reason. */
import { Sensitive } from "../../../shared/sensitive.ts";
import { parseReceived, type DataMessage, type Envelope, type RawQuote, type Received } from "./envelope.ts";
import type { Attachment, BotEvent, Chat, MessageContent, Quote, ReceiptEvent } from "./event.ts";
import { readText } from "./read-text.ts";
import { isSelf, ownUuidIn, uuidOf, type Self } from "./self.ts";

export type IgnoredReason =
  | "malformed"
  /** signal-cli could not read it, such as that of an untrusted identity. */
  | "exception"
  /** Its sender has no uuid. */
  | "unidentified"
  /** It is of the bot's account, sent from here or another device. */
  | "own"
  | "sync"
  | "story"
  | "call"
  | "typing"
  /** Of a timer for disappearing messages. */
  | "timer"
  | "group-update"
  | "sticker"
  /** To what somebody else said. */
  | "reaction"
  /** Such as that of a profile key, or a kind that is not known here. */
  | "empty";

export interface Ignored {
  readonly kind: "ignored";
  readonly reason: IgnoredReason;
}

export interface Reading {
  /** Whose mail it is; undefined where that is not said. */
  readonly account: string | undefined;
  readonly event: BotEvent | Ignored;
  /** The bot's own uuid, where it can be told from this. */
  readonly ownUuid: string | undefined;
}

/** Attachments of one message; Signal's clients send 32 at most. */
const maxAttachments = 32;
/** The body of a long text, which `message` has as a whole as well. */
const longTextType = "text/x-signal-plain";

/** `params` as a webhook, a WebSocket and a poll give it; `ownUuid` as it was learnt before. Never throws. */
export function readEvent(params: unknown, ownUuid?: string): Reading {
  const received = parseReceived(params);
  if (!received?.envelope) {
    const reason = received?.exception ? "exception" : "malformed";
    return { account: received?.account ?? undefined, event: ignore(reason), ownUuid: undefined };
  }
  const account = received.account ?? undefined;
  const learnt = ownUuidIn(received.envelope, account);
  const self = { account, uuid: learnt ?? ownUuid };
  return { account, event: readEnvelope(received, received.envelope, self), ownUuid: learnt };
}

function readEnvelope({ exception }: Received, envelope: Envelope, self: Self): BotEvent | Ignored {
  const { dataMessage, editMessage, receiptMessage } = envelope;
  const data = dataMessage ?? editMessage?.dataMessage;
  if (exception && !data) return ignore("exception");
  if (envelope.syncMessage) return ignore("sync");
  if (envelope.typingMessage) return ignore("typing");
  if (envelope.storyMessage || data?.storyContext) return ignore("story");
  if (envelope.callMessage) return ignore("call");
  const person = uuidOf(envelope.sourceUuid) ?? uuidOf(envelope.source);
  if (!person) return ignore("unidentified");
  const sender = { uuid: person, number: envelope.sourceNumber };
  if (isSelf(sender, self)) return ignore("own");
  const timestamp = data?.timestamp ?? envelope.timestamp;
  if (!self.account || typeof timestamp !== "number") return ignore("malformed");
  const origin = {
    account: self.account,
    person,
    name: sensitive(envelope.sourceName),
    number: sensitive(envelope.sourceNumber),
    timestamp,
    chat: chatOf(data, person),
  };
  if (receiptMessage) return { ...origin, ...readReceipt(receiptMessage) };
  if (!data) return ignore("empty");
  if (editMessage) {
    const content = readContent(data, self);
    if ("reason" in content) return content;
    return { kind: "edit", ...origin, ...content, target: editMessage.targetSentTimestamp };
  }
  return readData(data, origin, self);
}

type Origin = Pick<BotEvent, "account" | "person" | "name" | "number" | "timestamp" | "chat">;

function readData(data: DataMessage, origin: Origin, self: Self): BotEvent | Ignored {
  const { reaction, remoteDelete } = data;
  if (remoteDelete) return { kind: "deletion", ...origin, target: remoteDelete.timestamp };
  if (reaction) {
    const author = { uuid: reaction.targetAuthorUuid, number: reaction.targetAuthorNumber ?? reaction.targetAuthor };
    if (!isSelf(author, self)) return ignore("reaction");
    const { emoji, isRemove, targetSentTimestamp } = reaction;
    return { kind: "reaction", ...origin, emoji, isRemoved: isRemove === true, target: targetSentTimestamp };
  }
  const content = readContent(data, self);
  return "reason" in content ? content : { kind: "message", ...origin, ...content };
}

function readContent(data: DataMessage, self: Self): MessageContent | Ignored {
  if (data.isExpirationUpdate) return ignore("timer");
  const { text, isMention } = readText(data.message ?? "", data.mentions ?? [], self);
  const attachments = readAttachments(data);
  const quote = data.quote ? readQuote(data.quote, self) : undefined;
  const isSaid = text.trim() !== "" || attachments.length > 0 || (isMention && quote);
  if (!isSaid) return ignore(data.sticker ? "sticker" : data.groupInfo?.type === "UPDATE" ? "group-update" : "empty");
  return {
    text: new Sensitive(text),
    attachments,
    isViewOnce: data.viewOnce === true,
    expiresInSeconds: data.expiresInSeconds || undefined,
    isMention,
    quote,
  };
}

function readAttachments({ attachments }: DataMessage): Attachment[] {
  const files: Attachment[] = [];
  for (const { id, contentType, filename, size } of attachments ?? []) {
    if (!id || contentType === longTextType || files.length === maxAttachments) continue;
    const type = contentType ?? "application/octet-stream";
    files.push({ id, contentType: type, name: sensitive(filename), size: Math.max(0, size ?? 0) });
  }
  return files;
}

/** Undefined where its author is not known by uuid. */
function readQuote({ id, author, authorNumber, authorUuid, text }: RawQuote, self: Self): Quote | undefined {
  const isOfBot = isSelf({ uuid: authorUuid ?? author, number: authorNumber ?? author }, self);
  const uuid = uuidOf(authorUuid) ?? uuidOf(author) ?? (isOfBot ? self.uuid : undefined);
  return uuid === undefined ? undefined : { timestamp: id, author: uuid, isOfBot, text: new Sensitive(text ?? "") };
}

function readReceipt(
  receipt: NonNullable<Envelope["receiptMessage"]>,
): Pick<ReceiptEvent, "kind" | "receipt" | "targets"> {
  const { isViewed, isRead, timestamps } = receipt;
  return { kind: "receipt", receipt: isViewed ? "viewed" : isRead ? "read" : "delivery", targets: timestamps ?? [] };
}

function chatOf(data: DataMessage | undefined, person: string): Chat {
  const group = data?.groupInfo?.groupId;
  return group === undefined ? { kind: "direct", person } : { kind: "group", group };
}

function sensitive(text: string | null | undefined): Sensitive<string> | undefined {
  return text ? new Sensitive(text) : undefined;
}

const ignore = (reason: IgnoredReason): Ignored => ({ kind: "ignored", reason });
