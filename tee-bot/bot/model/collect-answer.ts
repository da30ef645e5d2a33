/** The text of an answer, from its stream of OpenAI's chat completions. */
import { z } from "zod";
import { parseJson } from "../../../shared/parse-json.ts";
import { EventBoundary } from "../../gateway/calls/streams/event-boundary.ts";
import { parseEvents } from "../../gateway/calls/streams/events.ts";
import { decideTrouble, type ModelTrouble } from "./model-error.ts";

/** Of the text; an answer is cut there. */
export const maxAnswerUnits = 256 * 1024;
/** Of one event. */
const maxEventBytes = 1024 * 1024;

const choice = z.object({
  delta: z.object({ content: z.string().nullish() }).nullish(),
  finish_reason: z.string().nullish(),
});
// https://platform.openai.com/docs/api-reference/chat/streaming; the last event of some has no choices
const chunkSchema = z.object({ model: z.string().optional(), choices: z.array(choice).default([]) });

/** Takes an answer piece by piece. What goes wrong is a {@link ModelTrouble} here, for it does not know the call. */
export class AnswerCollector {
  readonly #boundary = new EventBoundary("chat");
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #text = "";
  #trouble: ModelTrouble | undefined;
  #isEnded = false;
  /** As the provider names it. */
  model: string | undefined;
  /** By its limit of tokens, or by ours. */
  isCut = false;

  /** Without what a model says to itself before it answers. */
  get text(): string {
    return withoutThoughts(this.#text);
  }

  /** No more of the answer is wanted. */
  get isSettled(): boolean {
    return this.#trouble !== undefined || this.#text.length >= maxAnswerUnits;
  }

  /** Once nothing more comes: why it cannot be used; undefined: it can. */
  get trouble(): ModelTrouble | undefined {
    if (this.#trouble) return this.#trouble;
    if (!this.#isEnded && !this.isCut) return "outage"; // it broke off
    if (this.text.trim() !== "") return undefined;
    return this.isCut ? "timeout" : "refused";
  }

  /** True: there is more text than before. */
  add(piece: Buffer): boolean {
    const end = this.#boundary.next(piece);
    if (end === 0) {
      this.#keep(piece);
      return false;
    }
    const complete = Buffer.concat([...this.#pending, piece.subarray(0, end)]).toString();
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#keep(piece.subarray(end));
    const before = this.#text.length;
    for (const { data } of parseEvents("chat", complete)) {
      if (data.trim() === "[DONE]") this.#isEnded = true;
      else this.#addValue(parseJson(data));
    }
    return this.#text.length > before;
  }

  #keep(piece: Buffer): void {
    this.#pending.push(piece);
    this.#pendingBytes += piece.length;
    if (this.#pendingBytes > maxEventBytes) this.#trouble = "outage";
  }

  #addValue(value: unknown): void {
    const { data } = chunkSchema.safeParse(value);
    if (saysError(value) || !data) {
      this.#trouble ??= decideTrouble(undefined, value);
      return;
    }
    this.model ??= data.model;
    const [first] = data.choices;
    this.#text += first?.delta?.content ?? "";
    if (first?.finish_reason) this.#isEnded = true;
    if (first?.finish_reason === "length") this.isCut = true;
    if (this.#text.length > maxAnswerUnits) {
      this.#text = this.#text.slice(0, maxAnswerUnits);
      this.isCut = true;
    }
  }
}

/** Reasoning models think aloud in tags before they answer; while they do, there is no answer yet. */
export function withoutThoughts(text: string): string {
  if (!/^\s*<think(?:ing)?>/i.test(text)) return text;
  const closing = /<\/think(?:ing)?>\s*/i.exec(text);
  return closing ? text.slice(closing.index + closing[0].length) : "";
}

function saysError(value: unknown): boolean {
  const error = (value as { error?: unknown } | null | undefined)?.error;
  return error !== undefined && error !== null;
}
