import { Sensitive } from "../../../shared/sensitive.ts";
import type { MessageEvent } from "../events/event.ts";
import { formatAnswer } from "../format/format.ts";
import { maxPieceBytes } from "../format/split.ts";
import type { Reply, ReplyAttachment } from "../mail/mailbox.ts";

/** What is to be said, in Markdown. */
export interface Saying {
  readonly text: string;
  readonly attachment?: ReplyAttachment | undefined;
}

/** So much of a message stands in the quote of it: clients show a line or two. */
export const maxQuoteUnits = 300;

/** A text as the messages it is sent in: the first quotes what it answers, the last has the attachment. */
export function repliesTo(
  event: MessageEvent,
  { text, attachment }: Saying,
  { maxUnits }: { maxUnits: number },
): Reply[] {
  const pieces = formatAnswer(text, { maxUnits, maxBytes: maxPieceBytes });
  return pieces.map(({ styled, plain }, index) => ({
    account: event.account,
    chat: event.chat,
    styled: new Sensitive(styled),
    plain: new Sensitive(plain),
    quote: index === 0 ? quoteOf(event) : undefined,
    attachment: index === pieces.length - 1 ? attachment : undefined,
    edits: undefined,
  }));
}

function quoteOf({ timestamp, person, text }: MessageEvent): Reply["quote"] {
  return { timestamp, author: person, text: text.map((all) => cutText(all, maxQuoteUnits)) };
}

/** The beginning of a text, without half of a character at its end. */
export function cutText(text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text;
  const end = /[\uD800-\uDBFF]/.test(text.charAt(maxUnits - 1)) ? maxUnits - 1 : maxUnits;
  return text.slice(0, end);
}
