/** A reply as `POST /v2/send` takes it. */
import type { Reply, ReplyAttachment } from "../mail/mailbox.ts";
import { recipientOf } from "./recipients.ts";

export interface SendBody {
  readonly number: string;
  readonly recipients: readonly [string];
  readonly message: string;
  readonly text_mode: "styled" | "normal";
  readonly quote_timestamp?: number;
  readonly quote_author?: string;
  readonly quote_message?: string;
  readonly base64_attachments?: readonly string[];
  readonly edit_timestamp?: number;
}

export function sendBodyOf({ account, chat, styled, quote, attachment, edits }: Reply): SendBody {
  return {
    number: account,
    recipients: [recipientOf(chat)],
    message: styled.reveal(),
    text_mode: "styled",
    ...(quote && {
      quote_timestamp: quote.timestamp,
      quote_author: quote.author,
      quote_message: quote.text.reveal(),
    }),
    ...(attachment && { base64_attachments: [dataUrlOf(attachment)] }),
    ...(edits !== undefined && { edit_timestamp: edits }),
  };
}

/** With its name, in the form that the server knows; it splits at `;` and `,` without looking for quotes. */
function dataUrlOf({ name, contentType, content }: ReplyAttachment): string {
  const safeName = name.replaceAll(/[^A-Za-z0-9._-]+/g, "_");
  const safeType = /^[a-z]+\/[a-z0-9.+-]+$/.test(contentType) ? contentType : "application/octet-stream";
  return `data:${safeType};filename=${safeName};base64,${Buffer.from(content.reveal()).toString("base64")}`;
}
