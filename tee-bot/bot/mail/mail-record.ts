/** The form in which events and replies are sealed: JSON, in which what is sensitive is marked so that it comes back as such. */
import { Sensitive } from "../../../shared/sensitive.ts";
import type { BotEvent } from "../events/event.ts";
import type { Reply } from "./mailbox.ts";

/** Names purpose and form within the seal; a change of either type that old values lack needs another. */
export const mailSchemaName = "mail/v1";

export function encodeRecord(record: BotEvent | Reply): Uint8Array {
  return Buffer.from(JSON.stringify(record, revealing));
}

/** Of an event that {@link encodeRecord} has made; inside an intact seal there is nothing else. */
export function parseEvent(bytes: Uint8Array): BotEvent {
  return parse(bytes) as BotEvent;
}

/** Of a reply, likewise. */
export function parseReply(bytes: Uint8Array): Reply {
  return parse(bytes) as Reply;
}

const textMark = "sensitive text";
const bytesMark = "sensitive bytes";

/** `value` is what is left of it by its `toJSON`. */
function revealing(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const held = this[key];
  if (!(held instanceof Sensitive)) return value;
  const revealed: unknown = held.reveal();
  if (!(revealed instanceof Uint8Array)) return { [textMark]: revealed };
  return { [bytesMark]: Buffer.from(revealed).toString("base64") };
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString(), (_, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if (textMark in value) return new Sensitive(value[textMark]);
    if (bytesMark in value) return new Sensitive(new Uint8Array(Buffer.from(String(value[bytesMark]), "base64")));
    return value;
  });
}
