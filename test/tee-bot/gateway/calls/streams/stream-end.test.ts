import { describe, expect, it } from "vitest";
import type { StreamForm } from "../../../../../tee-bot/gateway/api/endpoints.ts";
import { decideStreamEnd, type StreamEnd } from "../../../../../tee-bot/gateway/calls/streams/stream-end.ts";

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const choice = (finish_reason: string | null, index = 0): object => ({ index, delta: {}, finish_reason });

describe("the end of a stream", () => {
  it.each<[StreamForm, string, StreamEnd, string]>([
    ["chat", "data: [DONE]\n\n", "proper", "done"],
    ["chat", "data:[DONE]\r\n\r\n", "proper", "done, without a space"],
    ["chat", event({ choices: [choice("stop")] }), "proper", "finished, and not done"],
    ["chat", event({ choices: [choice("length")] }) + event({ choices: [], usage: {} }), "proper", "counted last"],
    ["completion", event({ choices: [{ index: 0, text: "", finish_reason: "stop" }] }), "proper", "a completion"],
    ["chat", event({ choices: [choice(null)] }), "missing", "unfinished"],
    ["chat", "", "missing", "empty"],
    ["chat", event({ choices: [choice("stop", 0)] }) + event({ choices: [choice(null, 1)] }), "missing", "one of two"],
    [
      "chat",
      event({ choices: [choice("stop", 1)] }) + event({ choices: [choice("stop", 0)] }),
      "proper",
      "both of two",
    ],
    [
      "chat",
      event({
        choices: [{ index: 0, delta: { content: '"finish_reason":"stop" data: [DONE]' }, finish_reason: null }],
      }),
      "missing",
      "generated text that looks like it",
    ],
    ["chat", event({ error: { message: "x" } }), "error", "an error"],
    ["chat", event({ error: { message: "x" } }) + "data: [DONE]\n\n", "error", "an error that is called done"],
    ["chat", event({ error: "x" }), "error", "an error of text"],
    ["chat", event({ error: null, choices: [choice("stop")] }), "proper", "no error"],
    ["chat", 'event: error\ndata: {"message":"x"}\n\n', "error", "an error by name"],
    [
      "chat",
      event({ choices: [choice("error")], error: { code: 502 } }) + "data: [DONE]\n\n",
      "error",
      "OpenRouter's form",
    ],
    ["responses", 'event: response.completed\ndata: {"type":"response.completed"}\n\n', "proper", "completed"],
    [
      "responses",
      'event: response.incomplete\ndata: {"type":"response.incomplete"}\n\n',
      "proper",
      "incomplete on purpose",
    ],
    ["responses", 'data: {"type":"response.failed"}\n\n', "error", "failed"],
    ["responses", 'data: {"type":"error","message":"x"}\n\n', "error", "an error of its own form"],
    [
      "responses",
      event({ type: "response.output_text.delta", delta: '"response.completed"' }),
      "missing",
      "text that looks like it",
    ],
    ["ollama-lines", '{"done":false}\n{"done":true,"eval_count":3}\n', "proper", "done"],
    ["ollama-lines", '{"done":false}\n', "missing", "not done"],
    ["ollama-lines", '{"done":false}\n{"error":"x"}\n', "error", "an error line"],
  ])("%s, %j is %s: %s", (form, tail, expected) => {
    expect(decideStreamEnd(form, tail)).toBe(expected);
  });
});
