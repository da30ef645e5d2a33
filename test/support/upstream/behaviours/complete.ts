/** Answers that are right, some of them in unusual ways. */
import { gzipSync } from "node:zlib";
import type { Behaviour } from "../behaviour.ts";
import { answerWords, chatEvent, dataEvent, doneEvent, jsonAnswer, promptTokens, streamParts } from "../content.ts";
import type { Reply } from "../reply.ts";

export interface AnswerOptions {
  readonly words?: readonly string[];
  /** Between the events of a stream. */
  readonly everyMs?: number;
  /** After the head, before the first event. */
  readonly firstAfterMs?: number;
  /** Whether the stream says at last that it is done. */
  readonly done?: boolean;
}

/** A whole answer, after a comment when it is a stream. */
export function answering({
  words = answerWords,
  everyMs = 0,
  firstAfterMs = 0,
  done = true,
}: AnswerOptions = {}): Behaviour {
  return async (request, reply) => {
    if (!request.stream) {
      if (firstAfterMs > 0) await reply.wait(firstAfterMs);
      return reply.send(200, jsonAnswer(request, words));
    }
    const parts = streamParts(request, words);
    reply.openStream();
    reply.chunk(": the stand-in thinks\n\n");
    if (firstAfterMs > 0) await reply.wait(firstAfterMs);
    await sendEvents(reply, [...parts.opening, ...parts.words, ...parts.closing], everyMs);
    if (done) await sendEvents(reply, parts.done);
    reply.lastChunk();
  };
}

export async function sendEvents(reply: Reply, events: readonly string[], everyMs = 0): Promise<void> {
  for (const event of events) {
    reply.chunk(event);
    await reply.drain();
    if (everyMs > 0) await reply.wait(everyMs);
  }
}

/** The text of an answer as no serialiser would write it; whoever parses and writes it again is found out. */
export const oddAnswer =
  '{ "id" :"odd",  "object":"chat.completion","created": 1.7e9, "model":"odd-json",\r\n\t"x_unknown": {"b":2.0, "a":1E2, "a":1e2},' +
  '"choices":[ {"index":0,"message":{"role":"assistant","content":"caf\\u00e9 \\ud83d\\ude00 \\/ 1.0"},"finish_reason":"stop","logprobs":null} ],' +
  '"usage":{"prompt_tokens":12,"completion_tokens":3.0,"total_tokens":15} }\n\n';

/** The same for a stream: three kinds of line ends, fields that nobody reads, data in two lines. */
export const oddStream =
  ": a comment\r\n\r\n" +
  'id: 7\r\ndata: { "id":"odd","object":"chat.completion.chunk","created":1.7e9,"model":"odd-json","choices":[{"index":0,"delta":{"role":"assistant","content":"caf\\u00e9"},"finish_reason":null}] }\r\n\r\n' +
  'data:{"id":"odd","object":"chat.completion.chunk","created":1700000000,"model":"odd-json",\ndata: "choices":[{"index":0,"delta":{"content":" 2.0"},"finish_reason":null}],"x":1.50}\n\n' +
  'retry: 3000\n\ndata: {"id":"odd","object":"chat.completion.chunk","created":1700000000,"model":"odd-json","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' +
  "data: [DONE]\r\n\r\n";

export const answerOddly: Behaviour = (request, reply) => {
  if (!request.stream) return reply.send(200, oddAnswer, { "x-odd": "kept" });
  reply.openStream();
  reply.chunk(oddStream);
  reply.lastChunk();
};

/** JSON, although a stream may have been asked for. */
export const answerJson: Behaviour = (request, reply) => reply.send(200, jsonAnswer(request));

/** Compressed, although that was not asked for. */
export const answerCompressed: Behaviour = (request, reply) =>
  reply.send(200, gzipSync(jsonAnswer(request)), { "content-encoding": "gzip" });

/** As much text as this; more than anybody holds. */
export function answeringBytes(bytes: number): Behaviour {
  const word = "x".repeat(1_000);
  const words = Array.from({ length: Math.ceil(bytes / word.length) }, () => word);
  return answering({ words });
}

/** Calls a function, its arguments in pieces when it is a stream. */
export const callTool: Behaviour = async (request, reply) => {
  const { model } = request;
  const base = { id: "answer-tool", created: 1_700_000_000, model };
  const usage = { prompt_tokens: promptTokens, completion_tokens: 9, total_tokens: promptTokens + 9 };
  if (!request.stream) {
    const call = {
      id: "call_1",
      type: "function",
      function: { name: "find_door", arguments: '{"street":"Mill Lane"}' },
    };
    const message = { role: "assistant", content: null, refusal: null, tool_calls: [call] };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: "tool_calls" }];
    return reply.send(200, JSON.stringify({ ...base, object: "chat.completion", choices, usage }));
  }
  const piece = (fields: object): string => chatEvent(request, { tool_calls: [{ index: 0, ...fields }] });
  reply.openStream();
  await sendEvents(reply, [
    chatEvent(request, { role: "assistant", content: null }),
    piece({ id: "call_1", type: "function", function: { name: "find_door", arguments: "" } }),
    ...['{"str', 'eet":"Mill', ' Lane"}'].map((part) => piece({ function: { arguments: part } })),
    chatEvent(request, {}, "tool_calls"),
    ...(request.wantsUsage ? [dataEvent({ ...base, object: "chat.completion.chunk", choices: [], usage })] : []),
    doneEvent,
  ]);
  reply.lastChunk();
};
