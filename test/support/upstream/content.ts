/** What the stand-in says: JSON answers and the events of streams, in the shapes of OpenAI's API. */
import type { UpstreamRequest } from "./upstream-request.ts";

/** Sixty words, of which one is one token. */
export const answerWords = (
  "A door is judged by the night it was tried. Whoever keeps one learns that a lock that gives way in silence is worse " +
  "than none, since nobody goes to look. Say what broke and when, hand over no half of a letter, try the next house " +
  "before you knock twice at a dark one, and count what you did."
).split(" ");
export const answerText = answerWords.join(" ");

export const promptTokens = 12;
const created = 1_700_000_000;

/** A stream taken apart, so that it can break between and within its parts. */
export interface StreamParts {
  /** Before the first word. */
  readonly opening: readonly string[];
  /** One event for each word. */
  readonly words: readonly string[];
  /** That the answer is complete, and what it cost. */
  readonly closing: readonly string[];
  /** What comes last of all. */
  readonly done: readonly string[];
}

export const dataEvent = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
export const doneEvent = "data: [DONE]\n\n";

export function jsonAnswer(request: UpstreamRequest, words: readonly string[] = answerWords): string {
  const text = words.join(" ");
  const { model } = request;
  const base = { id: idOf(request), created, model };
  switch (endpointOf(request)) {
    case "chat": {
      const message = { role: "assistant", content: text, refusal: null };
      const choice = { index: 0, message, logprobs: null, finish_reason: "stop" };
      return JSON.stringify({ ...base, object: "chat.completion", choices: [choice], usage: usageOf(words.length) });
    }
    case "completions": {
      const choice = { index: 0, text, logprobs: null, finish_reason: "stop" };
      return JSON.stringify({ ...base, object: "text_completion", choices: [choice], usage: usageOf(words.length) });
    }
    case "embeddings": {
      const data = [{ object: "embedding", index: 0, embedding: [0.25, -0.5, 0.125, 1e-7] }];
      const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
      return JSON.stringify({ object: "list", data, model, usage });
    }
    case "responses":
      return JSON.stringify(responseObject(request, words, "completed"));
  }
}

export function streamParts(request: UpstreamRequest, words: readonly string[] = answerWords): StreamParts {
  const pieces = words.map((word, index) => (index === 0 ? word : ` ${word}`));
  switch (endpointOf(request)) {
    case "responses":
      return responseParts(request, words, pieces);
    case "completions":
      return completionParts(request, pieces);
    case "chat":
    case "embeddings": // never streams
      return chatParts(request, pieces);
  }
}

function chatParts(request: UpstreamRequest, pieces: readonly string[]): StreamParts {
  const counted = { ...chunkBase(request, "chat.completion.chunk"), choices: [], usage: usageOf(pieces.length) };
  return {
    opening: [chatEvent(request, { role: "assistant", content: "" })],
    words: pieces.map((content) => chatEvent(request, { content })),
    closing: [chatEvent(request, {}, "stop"), ...(request.wantsUsage ? [dataEvent(counted)] : [])],
    done: [doneEvent],
  };
}

function completionParts(request: UpstreamRequest, pieces: readonly string[]): StreamParts {
  const base = chunkBase(request, "text_completion");
  const event = (text: string, finish: string | null): string =>
    dataEvent({ ...base, choices: [{ index: 0, text, logprobs: null, finish_reason: finish }] });
  const counted = dataEvent({ ...base, choices: [], usage: usageOf(pieces.length) });
  return {
    opening: [],
    words: pieces.map((piece) => event(piece, null)),
    closing: [event("", "stop"), ...(request.wantsUsage ? [counted] : [])],
    done: [doneEvent],
  };
}

export function chatEvent(request: UpstreamRequest, delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return dataEvent({ ...chunkBase(request, "chat.completion.chunk"), choices });
}

/** Where this call came in, by the end of its path: `/v1/chat/completions` is no `completions`. */
export function endpointOf({ path }: UpstreamRequest): "chat" | "completions" | "embeddings" | "responses" {
  if (path.endsWith("/chat/completions")) return "chat";
  if (path.endsWith("/completions")) return "completions";
  return path.endsWith("/embeddings") ? "embeddings" : "responses";
}

/** https://platform.openai.com/docs/api-reference/responses-streaming */
function responseParts(request: UpstreamRequest, words: readonly string[], pieces: readonly string[]): StreamParts {
  let sequence = 0;
  const event = (type: string, fields: object): string =>
    `event: ${type}\n${dataEvent({ type, sequence_number: sequence++, ...fields })}`;
  const place = { item_id: "msg_1", output_index: 0, content_index: 0 };
  const item = { id: "msg_1", type: "message", role: "assistant" };
  const part = { type: "output_text", text: "", annotations: [] };
  const text = words.join(" ");
  return {
    opening: [
      event("response.created", { response: responseObject(request, [], "in_progress") }),
      event("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress", content: [] } }),
      event("response.content_part.added", { ...place, part }),
    ],
    words: pieces.map((delta) => event("response.output_text.delta", { ...place, delta, logprobs: [] })),
    closing: [
      event("response.output_text.done", { ...place, text, logprobs: [] }),
      event("response.content_part.done", { ...place, part: { ...part, text } }),
      event("response.output_item.done", {
        output_index: 0,
        item: { ...item, status: "completed", content: [{ ...part, text }] },
      }),
      event("response.completed", { response: responseObject(request, words, "completed") }),
    ],
    done: [],
  };
}

function responseObject(request: UpstreamRequest, words: readonly string[], status: string): object {
  const content = [{ type: "output_text", text: words.join(" "), annotations: [] }];
  const message = { id: "msg_1", type: "message", role: "assistant", status, content };
  const usage = { input_tokens: promptTokens, output_tokens: words.length, total_tokens: promptTokens + words.length };
  return {
    id: idOf(request),
    object: "response",
    created_at: created,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: request.model,
    output: status === "completed" ? [message] : [],
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    usage: status === "completed" ? usage : null,
  };
}

const chunkBase = (request: UpstreamRequest, object: string): object => ({
  id: idOf(request),
  object,
  created,
  model: request.model,
});
const idOf = ({ attempt }: UpstreamRequest): string => `answer-${attempt}`;
const usageOf = (completion: number): object => ({
  prompt_tokens: promptTokens,
  completion_tokens: completion,
  total_tokens: promptTokens + completion,
});
