/**
 * Answers that break. Each does to a stream what it is named after, and to a JSON answer the nearest thing: what was cut
 * after some words is cut amid the text.
 */
import type { Behaviour } from "../behaviour.ts";
import { answerWords, chatEvent, dataEvent, jsonAnswer, streamParts } from "../content.ts";
import type { Reply } from "../reply.ts";
import type { UpstreamRequest } from "../upstream-request.ts";
import { sendEvents } from "./complete.ts";

/** How a connection ends: in order (FIN), or by a reset (RST). */
export type Ending = "close" | "reset";

/** Words before an answer breaks, unless the test says. */
export const usualCut = 40;

export function endBeforeHead(how: Ending): Behaviour {
  return (_, reply) => reply[how]();
}

export function endInHead(how: Ending): Behaviour {
  return (_, reply) => {
    reply.raw("HTTP/1.1 200 OK\r\ncontent-type: text/ev");
    return reply[how]();
  };
}

/** After the head, before anything of the body. */
export function endAfterHead(how: Ending): Behaviour {
  return (request, reply) => {
    openAnswer(request, reply);
    return reply[how]();
  };
}

/** After whole events; a JSON answer amid its text. */
export function cutAfter(words: number, how: Ending): Behaviour {
  return async (request, reply) => {
    await sendBeginning(request, reply, words);
    await reply[how]();
  };
}

/** Half of an event is out when it happens. */
export function cutMidEvent(words: number, how: Ending): Behaviour {
  return async (request, reply) => {
    await sendBeginning(request, reply, words);
    if (request.stream) reply.chunk(halfOf(streamParts(request).words[words] ?? ""));
    await reply[how]();
  };
}

/** Properly ended as far as HTTP knows, but the answer is not complete: no finish_reason; JSON without its end. */
export function endUnfinished(words: number): Behaviour {
  return async (request, reply) => {
    if (!request.stream) return reply.send(200, halfOf(jsonAnswer(request)));
    await sendBeginning(request, reply, words);
    reply.lastChunk();
  };
}

/** The body lasts until the connection ends, so nothing but its own form says that half of it is missing. */
export const endUncounted: Behaviour = async (request, reply) => {
  const type = request.stream ? "text/event-stream" : "application/json";
  reply.head(200, { "content-type": type, connection: "close" });
  const { opening, words } = streamParts(request);
  reply.raw(request.stream ? [...opening, ...words.slice(0, usualCut)].join("") : halfOf(jsonAnswer(request)));
  await reply.close();
};

/** One event that is no JSON; all the others are right, before and after it. JSON answers have a stray word in them. */
export function malformedAt(word: number): Behaviour {
  return async (request, reply) => {
    if (!request.stream) return reply.send(200, `${halfOf(jsonAnswer(request))}"oops`);
    const { opening, words, closing, done } = streamParts(request);
    const broken = 'data: {"id":"answer","object":"chat.completion.chunk","choices":[{"delta":{"content": \n\n';
    reply.openStream();
    await sendEvents(reply, [...opening, ...words.slice(0, word), broken, ...words.slice(word), ...closing, ...done]);
    reply.lastChunk();
  };
}

/** The head promises this many bytes more than come (or less, when negative). */
export function miscounted(difference: number): Behaviour {
  return async (request, reply) => {
    const body = jsonAnswer(request);
    const length = Buffer.byteLength(body) + difference;
    reply.head(200, { "content-type": "application/json", "content-length": String(length) });
    reply.raw(body);
    await reply.close();
  };
}

/** `data: {"error"}` after so many words; 0: instead of an answer. JSON answers are that error, with status 200. */
export function errorEventAfter(words: number, { named = false, done = false } = {}): Behaviour {
  return async (request, reply) => {
    if (!request.stream) return reply.send(200, JSON.stringify({ error: streamError }));
    if (words === 0) reply.openStream();
    else await sendBeginning(request, reply, words);
    reply.chunk(`${named ? "event: error\n" : ""}${dataEvent({ error: streamError })}`);
    if (done) reply.chunk("data: [DONE]\n\n");
    reply.lastChunk();
  };
}

/** OpenRouter's form: the error beside choices, whose finish_reason says it too; then `[DONE]` as if all were well. */
export const errorBesideChoices: Behaviour = async (request, reply) => {
  if (!request.stream) return reply.send(200, JSON.stringify({ error: streamError }));
  await sendBeginning(request, reply, usualCut);
  const event = JSON.parse(chatEvent(request, { content: "" }, "error").slice("data: ".length)) as object;
  reply.chunk(dataEvent({ ...event, error: { code: 502, message: streamError.message } }));
  reply.chunk("data: [DONE]\n\n");
  reply.lastChunk();
};

export const streamError = {
  message: "The engine has run out of memory.",
  type: "server_error",
  code: "engine_failed",
};

/** Everything up to a word: head, comment, events; or the head and the beginning of a JSON text. */
export async function sendBeginning(request: UpstreamRequest, reply: Reply, words: number): Promise<void> {
  openAnswer(request, reply);
  if (!request.stream) return reply.raw(halfOf(jsonAnswer(request)));
  const parts = streamParts(request);
  await sendEvents(reply, [...parts.opening, ...parts.words.slice(0, Math.min(words, answerWords.length))]);
}

/** The head of an answer that is well so far. */
export function openAnswer(request: UpstreamRequest, reply: Reply): void {
  if (request.stream) return reply.openStream();
  const length = String(Buffer.byteLength(jsonAnswer(request)));
  reply.head(200, { "content-type": "application/json", "content-length": length });
}

function halfOf(text: string): string {
  return text.slice(0, text.length >> 1);
}
