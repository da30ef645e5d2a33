/** What a message becomes for the model, and what is remembered of it: rules only. */
import { maxMessageBytes } from "../conversations/history.ts";
import type { MessageEvent, Quote } from "../events/event.ts";
import type { ModelMessage, ModelPart } from "../model/model.ts";
import type { ChatMessage } from "../conversations/chat-messages.ts";
import { cutText } from "./replies.ts";

export interface Question {
  /** What its author said, also where it was spoken; without what is quoted. */
  readonly text: string;
  /** Pictures as `data:` URLs: for this question only. */
  readonly images: readonly string[];
}

/** Stands in the history for a picture, which is not kept. */
export const imageMark = "[image]";
/** Of what is quoted, so much goes to the model. */
const maxQuotedUnits = 4_000;

/** As the history keeps it. */
export function keptText({ text, images }: Question): string {
  return cutBytes([...images.map(() => imageMark), text].filter((part) => part !== "").join(" "), maxMessageBytes);
}

/** As the model is asked: what is quoted comes first, as a quote. */
export function askedText(question: Question, quote: Quote | undefined): string {
  const text = question.images.length === 0 ? question.text : question.text || "What do you see?";
  const quoted = quote?.text.reveal().trim();
  if (!quote || !quoted) return text;
  const lines = cutText(quoted, maxQuotedUnits).split("\n");
  const whose = quote.isOfBot ? "your message" : "this message";
  return `In reply to ${whose}:\n${lines.map((line) => `> ${line}`).join("\n")}\n\n${text}`;
}

/** The conversation with the pictures in its last message, which is the question. */
export function modelMessages(conversation: readonly ChatMessage[], images: readonly string[]): ModelMessage[] {
  const last = conversation.at(-1);
  if (!last || images.length === 0) return [...conversation];
  const parts: ModelPart[] = [
    { type: "text", text: last.content },
    ...images.map((url) => ({ type: "image_url" as const, image_url: { url } })),
  ];
  return [...conversation.slice(0, -1), { role: last.role, content: parts }];
}

/** The beginning of a text that is too long to be kept. */
export function cutBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  return new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: true }); // half a character at the end is left out
}

/** By the kind of what was sent; signs of nothing (a profile's key) have neither text nor files. */
export function isEmpty({ text, attachments, isViewOnce }: MessageEvent): boolean {
  return text.reveal().trim() === "" && attachments.length === 0 && !isViewOnce;
}
